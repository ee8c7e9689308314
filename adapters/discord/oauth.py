"""Who somebody is on Discord, proved in the browser (discord.com/developers/docs/topics/oauth2#authorization-code-grant)."""

from datetime import timedelta
from typing import Any

from yarl import URL

from adapters.discord.settings import Settings
from adapters.discord.tokenless import Tokenless
from core.clock import Clock
from core.errors import PermanentError, Refusal
from core.ids import PlatformUserId
from core.platform import LinkedAccount

JOIN_SCOPE = "guilds.join"
SCOPES = f"identify {JOIN_SCOPE}"
_BAD_CODE = "invalid_grant"
_BAD_CLIENT = "invalid_client"


class SignIn:
    """The two halves of the flow: where to send the browser, and what its return is worth."""

    def __init__(self, settings: Settings, tokenless: Tokenless, clock: Clock) -> None:
        self._settings, self._tokenless, self._clock = settings, tokenless, clock

    def authorize_url(self, state: str, redirect_uri: str) -> str:
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "scope": SCOPES,
            "state": state,
            "redirect_uri": redirect_uri,
            "prompt": "consent",  # the page that names the account one is signed in with, and lets one change it
        }
        return str(URL(f"{self._settings.site}/oauth2/authorize").with_query(query))

    async def exchange(self, code: str, redirect_uri: str) -> LinkedAccount:
        token = await self._token(code, redirect_uri)
        user = await self._tokenless.call("GET", "/users/@me", bearer=token["access_token"])
        may_join = JOIN_SCOPE in str(token.get("scope", "")).split()
        return LinkedAccount(
            user=PlatformUserId(user["id"]),
            realm="",
            name=user.get("global_name") or user["username"],
            token=token["access_token"] if may_join else None,
            token_expires_at=self._clock.now() + timedelta(seconds=int(token["expires_in"])) if may_join else None,
        )

    async def _token(self, code: str, redirect_uri: str) -> Any:  # noqa: ANN401 - JSON
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret.get_secret_value(),
        }
        try:
            return await self._tokenless.call("POST", "/oauth2/token", form=form)
        except PermanentError as error:
            if error.code == _BAD_CODE:
                raise Refusal(
                    "bad_code", "Discord did not accept that sign-in any more. Go back and continue with Discord again."
                ) from error
            if error.code == _BAD_CLIENT:
                message = "Discord refuses the application's secret. Put the one from the Developer Portal into DISCORD_CLIENT_SECRET."
                raise PermanentError(message, code=_BAD_CLIENT) from error
            raise
