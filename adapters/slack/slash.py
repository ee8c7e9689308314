"""``/doorman …``: understood, stored, and only then acknowledged; or answered at once with how it is written."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from adapters.slack.modals import Forms
from adapters.slack.parsing import understand
from adapters.slack.replies import CHANNEL, PRIVATE, RESPONSE_URL, URL_LIFE, WHO_SEES
from adapters.slack.requests import Asking, Requests
from adapters.slack.spaces import sent_from
from core.clock import Clock
from core.commands import Audience, CommandSpec
from core.errors import ExternalError
from core.ids import PlatformUserId
from core.platform import Inbound

_SAFETY = timedelta(seconds=10)


class Slash:
    """Takes commands."""

    def __init__(self, requests: Requests, forms: Forms, clock: Clock) -> None:
        self._requests, self._forms, self._clock = requests, forms, clock

    async def take(self, body: Mapping[str, Any], inbound: Inbound) -> None:
        """Store a command, or open the form that asks for what it needs; NotUnderstoodError says what to answer."""
        command = str(body.get("command") or "")
        asked = understand(inbound.commands, str(body.get("text") or ""), command)
        asking = self._asking(body, asked.spec)
        if asking is None:
            return
        if asked.bare and await self._allowed(asking, asked.spec):
            try:
                await self._forms.open(str(body.get("trigger_id") or ""), asking, asked.spec)
            except ExternalError as error:
                raise self._forms.unopened(asked.spec, command, error) from error
            return
        await inbound.on_command(await self._requests.made(asking, asked.spec, asked.values))

    async def _allowed(self, asking: Asking, spec: CommandSpec) -> bool:
        """Nobody fills in a form only to be told that it is not theirs: without the right the core says so at once."""
        return spec.audience is not Audience.CREATOR or await self._requests.may_manage(asking)

    def _asking(self, body: Mapping[str, Any], spec: CommandSpec) -> Asking | None:
        space, user = sent_from(body), str(body.get("user_id") or "")
        trigger = str(body.get("trigger_id") or "")
        if space is None or not user or not trigger:
            return None
        data = {RESPONSE_URL: str(body.get("response_url") or ""), CHANNEL: str(body.get("channel_id") or "")}
        if spec.private:
            data[WHO_SEES] = PRIVATE
        return Asking(
            id=trigger,
            space=space,
            user=PlatformUserId(user),
            user_name=str(body.get("user_name") or user),
            data={key: value for key, value in data.items() if value},
            answer_until=self._clock.now() + URL_LIFE - _SAFETY,
        )
