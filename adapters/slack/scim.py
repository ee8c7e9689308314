"""The last way out: the end of somebody's account in a workspace, and its undoing. Only with a token the operator gave for just that.

https://docs.slack.dev/admins/scim-api: Business+ and Enterprise, a token of an owner with the scope ``admin``.
"""

from typing import Any

import aiohttp

from adapters.slack.client import Wire
from adapters.slack.errors import NETWORK_ERRORS, translate, wait_of
from adapters.slack.pacing import MINUTE
from adapters.slack.settings import Settings
from adapters.slack.tiers import SCIM
from core.boundary import assert_outside_transaction
from core.errors import ExternalError, PermanentError, RateLimited, TransientError
from core.ids import PlatformUserId

_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_REFUSED, _NOT_FOUND, _TOO_MANY, _SERVER_ERROR = 400, 404, 429, 500


class Scim:
    """Deactivates accounts and brings them back. ``configured`` says whether it may."""

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._wire, self._url = wire, settings.scim_url
        self._token = settings.scim_token.get_secret_value() if settings.scim_token else ""

    @property
    def configured(self) -> bool:
        return bool(self._token)

    async def deactivate(self, user: PlatformUserId) -> None:
        """End the account of ``user``; one that is gone or deactivated already is fine."""
        await self._call("DELETE", f"/Users/{user}")

    async def activate(self, user: PlatformUserId) -> None:
        """Bring the deactivated account of ``user`` back; it is in no channel but those everybody is in."""
        await self._call(
            "PATCH", f"/Users/{user}", {"schemas": [_PATCH], "Operations": [{"op": "replace", "path": "active", "value": True}]}
        )

    async def trouble(self, user: PlatformUserId) -> ExternalError | None:
        """Return why it would not work, tried on ``user`` by reading alone."""
        try:
            await self._call("GET", f"/Users/{user}")
        except ExternalError as error:
            return error
        return None

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        assert_outside_transaction("a call to Slack")
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._wire.pacer.turn(("scim", method), SCIM, MINUTE):
            try:
                async with self._wire.session.request(method, self._url + path, headers=headers, json=body) as response:
                    _judge(response)
            except NETWORK_ERRORS as error:
                raise translate(error) or TransientError("Slack's answer makes no sense.") from error


def _judge(response: aiohttp.ClientResponse) -> None:
    if response.status < _REFUSED or response.status == _NOT_FOUND:
        return
    if response.status == _TOO_MANY:
        raise RateLimited("Slack says to wait.", retry_after=wait_of(response.headers), code="ratelimited")
    if response.status >= _SERVER_ERROR:
        raise TransientError(f"Slack is in trouble (HTTP {response.status}).", code=str(response.status))
    message = (
        f"Slack refuses SLACK_SCIM_TOKEN (HTTP {response.status}). Put an owner's token with the scope admin there; "
        "accounts can be ended on Business+ and Enterprise only. Or leave it out."
    )
    raise PermanentError(message, code=f"scim_{response.status}")
