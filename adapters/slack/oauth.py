"""Who somebody is in a workspace, proved in the browser: https://docs.slack.dev/authentication/sign-in-with-slack."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from yarl import URL

from adapters.slack.asking import exchanged, said
from adapters.slack.client import Wire
from adapters.slack.install import refused
from adapters.slack.settings import Settings
from core.clock import Clock
from core.errors import ExternalError, Refusal
from core.ids import Ids, PlatformUserId
from core.platform import LinkedAccount

SCOPES = "openid profile"
_ROUND_TRIP = timedelta(minutes=10)
_LEEWAY = timedelta(minutes=1)
_CLAIM = "https://slack.com/"


class SignIn:
    """The two halves of the flow. The nonce is signed with the app's secret, so that any of our processes knows it for ours."""

    def __init__(self, settings: Settings, wire: Wire, clock: Clock, ids: Ids) -> None:
        self._settings, self._wire, self._clock, self._ids = settings, wire, clock, ids

    def authorize_url(self, state: str, redirect_uri: str) -> str:
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "scope": SCOPES,
            "state": state,
            "nonce": self._nonce(redirect_uri),
            "redirect_uri": redirect_uri,
        }
        return str(URL(f"{self._settings.site}/openid/connect/authorize").with_query(query))

    async def exchange(self, code: str, redirect_uri: str) -> LinkedAccount:
        try:
            token = await exchanged(self._wire, self._settings, "openid.connect.token", code=code, redirect_uri=redirect_uri)
        except ExternalError as error:
            raise refused(error) from error
        self._check(claims_of(str(token.get("id_token") or "")), redirect_uri)
        who = await said(self._wire.web(str(token["access_token"])).openid_connect_userInfo())
        signed = claims_of(str(token["id_token"]))
        user, team = _claim(who, "user_id"), _claim(who, "team_id")
        if not user or not team or (user, team) != (_claim(signed, "user_id"), _claim(signed, "team_id")):
            raise _doubtful()
        realm = _claim(who, "enterprise_id") or team
        return LinkedAccount(PlatformUserId(user), realm, str(who.get("name") or user), token=None, token_expires_at=None)

    @property
    def _secret(self) -> str:
        return self._settings.client_secret.get_secret_value() if self._settings.client_secret else ""

    def _check(self, claims: Mapping[str, Any], redirect_uri: str) -> None:
        """Check whom the id token is from and for.

        It came straight from Slack over TLS, which stands in for its signature
        (openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation, 6).
        """
        now = self._clock.now().timestamp()
        ends = claims.get("exp")
        well = (
            claims.get("iss") == self._settings.site
            and claims.get("aud") == self._settings.client_id
            and isinstance(ends, int | float)
            and ends > now - _LEEWAY.total_seconds()
            and self._made(str(claims.get("nonce") or ""), redirect_uri)
        )
        if not well:
            raise _doubtful()

    def _nonce(self, redirect_uri: str) -> str:
        made = f"{int(self._clock.now().timestamp())}.{self._ids.new()}"
        return f"{made}.{self._seal(made, redirect_uri)}"

    def _made(self, nonce: str, redirect_uri: str) -> bool:
        made, _, seal = nonce.rpartition(".")
        when = made.partition(".")[0]
        genuine = hmac.compare_digest(self._seal(made, redirect_uri).encode(), seal.encode())
        return genuine and self._clock.now().timestamp() - int(when) <= _ROUND_TRIP.total_seconds()

    def _seal(self, made: str, redirect_uri: str) -> str:
        return hmac.new(self._secret.encode(), f"nonce {made} {redirect_uri}".encode(), hashlib.sha256).hexdigest()


def claims_of(id_token: str) -> dict[str, Any]:
    """Return what a JWT claims, unchecked; Refusal when it is none."""
    try:
        part = id_token.split(".")[1]
        body = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        raise _doubtful() from None
    if not isinstance(body, dict):
        raise _doubtful()
    return body


def _claim(claims: Mapping[str, Any], name: str) -> str:
    return str(claims.get(_CLAIM + name) or "")


def _doubtful() -> Refusal:
    return Refusal("bad_code", "Slack's answer did not belong to this sign-in. Go back and continue with Slack again.")
