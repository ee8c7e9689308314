"""The OAuth2 token endpoint on a socket: form-encoded only, the app's secret in the form or as Basic login."""

import base64
import binascii
from collections.abc import Mapping

from aiohttp import web

from sandbox.discord.errors import Payload
from sandbox.discord.oauth import TokenError, same
from sandbox.discord.rest import PREFIX, written
from sandbox.discord.world import World

_FORM = "application/x-www-form-urlencoded"


class Tokens:
    """Exchanges, refreshes and revokes tokens."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, with and without the API's version."""
        return [
            web.post(f"{base}/oauth2/token{tail}", handler)
            for base in ("/api", PREFIX)
            for tail, handler in (("", self.token), ("/revoke", self.revoke))
        ]

    async def token(self, request: web.Request) -> web.Response:
        """Exchange a code or a refresh token."""
        try:
            form = await self._form(request)
            return written(200, self._exchange(form))
        except TokenError as refused:
            return written(refused.status, refused.payload())

    async def revoke(self, request: web.Request) -> web.Response:
        """Kill a token and everything that came with it."""
        try:
            form = await self._form(request)
        except TokenError as refused:
            return written(refused.status, refused.payload())
        self._world.oauth.revoke(form.get("token", ""))
        return written(200, {})

    def _exchange(self, form: Mapping[str, str]) -> Payload:
        oauth = self._world.oauth
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return oauth.payload(oauth.exchange(form.get("code", ""), form.get("redirect_uri", "")))
        if kind == "refresh_token":
            return oauth.payload(oauth.refresh(form.get("refresh_token", "")))
        raise TokenError("unsupported_grant_type", "Grant type None is not supported" if kind is None else None)

    async def _form(self, request: web.Request) -> Mapping[str, str]:
        if request.content_type != _FORM:
            raise TokenError("invalid_request", f"Content-Type must be {_FORM}")
        form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        login = _basic(request.headers.get("Authorization", "")) or (form.get("client_id", ""), form.get("client_secret", ""))
        app = self._world.app
        if not (same(login[0], str(app.id)) and same(login[1], app.secret)):
            raise TokenError("invalid_client", status=401)
        return form


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, text = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    return name, secret
