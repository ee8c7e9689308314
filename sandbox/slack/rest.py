"""The Web API on a socket: arguments, tokens, scopes, limits, bodies. What a method does is in ``endpoints``."""

import json
from base64 import b64decode
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web

from sandbox.faults import Fault, FaultKind
from sandbox.slack.endpoints import admin, apps, auth, channel_members, chat, conversations, usergroups, users, views
from sandbox.slack.endpoints.call import Call, Endpoint
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.ratelimits import RateLimits
from sandbox.slack.tokens import Token
from sandbox.slack.world import World
from sandbox.wire import FAULT

PREFIX = "/api"
_MUST_NAME_TEAM = ("conversations.list", "users.list", "users.conversations", "usergroups.")
ENDPOINTS: dict[str, Endpoint] = {
    one.method: one
    for family in (auth, apps, users, conversations, channel_members, usergroups, chat, views, admin)
    for one in family.ROUTES
}


@dataclass(slots=True)
class Refusal:
    """An answer made wrong on purpose: ``method`` says ``error`` the next ``times``; ``after``: though it did what was asked."""

    method: str
    error: str
    times: int = 1
    after: bool = False


@dataclass(slots=True)
class Rest:
    """Turns requests into calls on the model and answers into responses."""

    world: World
    limits: RateLimits
    calls: deque[tuple[str, Payload]] = field(default_factory=lambda: deque(maxlen=100_000))
    """Method and arguments of the latest calls, for those who count what was asked."""
    refusals: list[Refusal] = field(default_factory=list)

    def routes(self) -> list[web.RouteDef]:
        """Return the one route of every method."""
        return [web.route("*", PREFIX + "/{method:.*}", self.handle)]

    def count(self, method: str) -> int:
        """Return how often a method was called."""
        return sum(1 for one, _ in self.calls if one == method)

    async def handle(self, request: web.Request) -> web.Response:
        """Serve one call."""
        endpoint = ENDPOINTS.get(request.match_info["method"])
        if endpoint is None:
            return written(RefusedError("unknown_method", req_method=request.match_info["method"], fault=True))
        args: Payload = {}
        self.calls.append((endpoint.method, args))
        try:
            args.update(await arguments(request))
            call, wait = self._admit(endpoint, request.headers, args)
            if wait:
                return limited(wait)
            return _answered(self._run(endpoint, call), call.token)
        except RefusedError as refused:
            return written(refused)

    def _admit(self, endpoint: Endpoint, headers: Mapping[str, str], args: Payload) -> tuple[Call, int]:
        """Find out who asks, and the seconds they have to wait."""
        value = bearer(headers) or str(args.get("token") or "")
        if endpoint.who == "client":
            call = Call(self.world, args | _client(headers))
        elif endpoint.who == "anyone":
            call = Call(self.world, args)
        elif endpoint.who == "app":
            self._app_token(value)
            call = Call(self.world, args)
        else:
            token = self._token(endpoint, value)
            call = Call(self.world, args, token, meant(self.world, endpoint.method, args, token))
        wait = self.limits.take(endpoint.method, endpoint.tier, call.team_id or (call.token.team_id if call.token else ""))
        if not wait and endpoint.method == "chat.postMessage":
            wait = self.limits.post(str(args.get("channel")))
        return call, wait

    def _token(self, endpoint: Endpoint, value: str) -> Token:
        if not value:
            raise RefusedError("not_authed")
        if value == self.world.app.app_token:
            raise RefusedError("not_allowed_token_type")
        token = self.world.tokens.find(value)
        if endpoint.people_only and token.bot:
            raise RefusedError("not_allowed_token_type")
        if endpoint.scopes:
            Call(self.world, {}, token).need(*endpoint.scopes)
        return token

    def _app_token(self, value: str) -> None:
        if not value:
            raise RefusedError("not_authed")
        if value != self.world.app.app_token:
            raise RefusedError("not_allowed_token_type" if value.startswith("xox") else "invalid_auth")

    def _run(self, endpoint: Endpoint, call: Call) -> Payload:
        refusal = next((one for one in self.refusals if one.method == endpoint.method), None)
        if refusal is None:
            return endpoint.handler(call)
        refusal.times -= 1
        if refusal.times <= 0:
            self.refusals.remove(refusal)
        if refusal.after:
            endpoint.handler(call)
        raise RefusedError(refusal.error, fault=True)


def meant(world: World, method: str, args: Payload, token: Token) -> str:
    """Return the workspace a call with an organisation's token is about: the one that the arguments name or lie in; empty for others.

    Refuses a method that must be told which.
    """
    organisation = world.organisation(token.team_id)
    if organisation is None:
        return ""
    places = [one for one in world.workspaces.values() if one.enterprise is organisation and one.installed]
    if named := str(args.get("team_id") or ""):
        if all(one.id != named for one in places):
            raise RefusedError("team_access_not_granted")
        return named
    if method.startswith(_MUST_NAME_TEAM):
        raise RefusedError("missing_argument")
    trigger = world.triggers.get(str(args.get("trigger_id") or ""))
    if trigger is not None:
        return trigger.workspace.id
    about = {str(args.get(one) or "") for one in ("channel", "user", "user_id", "users", "view_id")}
    found = (one for one in places if about & (one.channels.keys() | one.users.keys()))
    return next(found, places[0]).id


async def arguments(request: web.Request) -> Payload:
    """Return query, form and JSON body as one; refuses what cannot be read."""
    found: Payload = dict(request.query)
    found.pop("token", None)  # a token in an address is not a token any more
    body = await request.read()
    if request.content_type == "application/json" and body:
        try:
            sent = json.loads(body)
        except ValueError:
            raise RefusedError("invalid_json") from None
        if not isinstance(sent, dict):
            raise RefusedError("json_not_object")
        return found | sent
    if request.content_type.startswith("multipart/"):
        return found | dict(await request.post())
    if request.content_type == "application/x-www-form-urlencoded":
        try:
            return found | dict(parse_qsl(body.decode(), keep_blank_values=True))
        except UnicodeDecodeError:
            raise RefusedError("invalid_charset") from None
    if body:
        raise RefusedError("invalid_post_type")
    return found


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token of the Authorization header, or ""."""
    kind, _, value = headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def _client(headers: Mapping[str, str]) -> Payload:
    kind, _, value = headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        client_id, _, secret = b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": client_id, "client_secret": secret}


def fault_answer(fault: Fault) -> web.Response:
    """Render an injected 429 or 5xx as Slack would."""
    if fault.kind is FaultKind.RATE_LIMITED:
        return limited(max(1, round(fault.retry_after)))
    return web.json_response({"ok": False, "error": "service_unavailable"}, status=fault.status)


def limited(wait: int) -> web.Response:
    """Return the answer to one call too many."""
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(wait)})


def written(refused: RefusedError) -> web.Response:
    """Return a refusal."""
    response = web.json_response(refused.payload(), status=refused.status)
    if refused.fault:
        response[FAULT] = True
    return response


def _answered(body: Payload, token: Token | None) -> web.Response:
    headers = {"X-OAuth-Scopes": ",".join(sorted(token.scopes))} if token else {}
    return web.json_response({"ok": True, **body}, headers=headers)
