"""Pressed buttons. Whose they are is what the signed request says; what is in them is for the core to check."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from adapters.slack.render import GO, VALUE
from adapters.slack.replies import CHANNEL, PRIVATE, RESPONSE_URL, URL_LIFE, WHO_SEES
from adapters.slack.requests import Asking, Requests
from adapters.slack.spaces import sent_from
from adapters.slack.usage import NotUnderstoodError
from adapters.slack.values import Value
from core.clock import Clock
from core.commands import CommandKind, CommandSpec
from core.ids import PlatformUserId
from core.platform import Inbound

ARGUMENT = "argument"
_SAFETY = timedelta(seconds=10)
_UNKNOWN = "I don't know that button any more. Ask for what you want by command."


class Buttons:
    """Takes presses."""

    def __init__(self, requests: Requests, clock: Clock) -> None:
        self._requests, self._clock = requests, clock

    async def take(self, body: Mapping[str, Any], inbound: Inbound) -> None:
        """Store a press as its command; one that only opens an address is nothing to us. NotUnderstoodError says what to answer."""
        action = (body.get("actions") or [{}])[0]
        value, user, space = action.get("value"), body.get("user") or {}, sent_from(body)
        if action.get("type") != "button" or str(action.get("action_id")).startswith(f"{GO}:") or space is None:
            return
        if not isinstance(value, str) or not 0 < len(value) <= VALUE:
            return
        name, _, argument = value.partition(":")
        spec = next((one for one in inbound.commands if one.kind is CommandKind.BUTTON and one.words == tuple(name.split())), None)
        if spec is None:
            raise NotUnderstoodError(_UNKNOWN)
        asking = Asking(
            id=str(body["trigger_id"]),
            space=space,
            user=PlatformUserId(str(user["id"])),
            user_name=str(user.get("name") or user["id"]),
            data=_answerable(body, spec),
            answer_until=self._clock.now() + URL_LIFE - _SAFETY,
        )
        await inbound.on_command(await self._requests.made(asking, spec, {ARGUMENT: Value(argument)}))


def _answerable(body: Mapping[str, Any], spec: CommandSpec) -> dict[str, str]:
    channel = (body.get("channel") or {}).get("id")
    data = {RESPONSE_URL: str(body.get("response_url") or ""), CHANNEL: str(channel or ""), WHO_SEES: PRIVATE if spec.private else ""}
    return {key: value for key, value in data.items() if value}
