"""Calls that go by the app's own secrets, before there is a workspace whose token could be used."""

from collections.abc import Awaitable
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.client import Wire
from adapters.slack.errors import NETWORK_ERRORS, translate
from adapters.slack.settings import Settings
from core.boundary import assert_outside_transaction
from core.errors import TransientError


async def said(call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    """Carry out the SDK's ``call`` and return the answer's JSON; raises ExternalError."""
    assert_outside_transaction("a call to Slack")
    try:
        answer = (await call).data
    except NETWORK_ERRORS as error:
        raise translate(error) or TransientError("Slack's answer makes no sense.") from error
    if not isinstance(answer, dict):
        raise TransientError("Slack's answer could not be read.", code="not_json")
    return answer


async def exchanged(wire: Wire, settings: Settings, method: str, **form: str) -> dict[str, Any]:
    """Trade a code, or a refresh token, for what it stands for: the app says who it is by its client id and secret."""
    secret = settings.client_secret
    ours = {"client_id": settings.client_id, "client_secret": secret.get_secret_value() if secret is not None else ""}
    return await said(wire.web().api_call(method, data=ours | form))
