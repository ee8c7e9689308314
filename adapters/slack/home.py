"""Our page in Slack's client: opening it is a command, and what the command answers is what the page shows."""

from collections.abc import Mapping
from typing import Any

from adapters.slack.replies import HOME, SURFACE, URL_LIFE
from adapters.slack.requests import Asking, Requests
from adapters.slack.spaces import sent_from
from core.clock import Clock
from core.commands import CommandKind
from core.ids import PlatformUserId
from core.platform import Inbound


class Home:
    """Takes openings of the page."""

    def __init__(self, requests: Requests, clock: Clock) -> None:
        self._requests, self._clock = requests, clock

    async def opened(self, body: Mapping[str, Any], inbound: Inbound) -> None:
        """Store it as the command that says what the page shows; without such a command there is no page."""
        event, space = body["event"], sent_from(body)
        spec = next((one for one in inbound.commands if one.kind is CommandKind.HOME), None)
        if spec is None or space is None or event.get("tab") != HOME:
            return
        user = PlatformUserId(str(event["user"]))
        asking = Asking(str(body["event_id"]), space, user, user, {SURFACE: HOME}, self._clock.now() + URL_LIFE)
        await inbound.on_command(await self._requests.made(asking, spec, {}))
