"""Where platforms hand in what comes from outside: stored first, worked on later."""

from collections.abc import Sequence

from bots.commands import COMMANDS
from bots.requests import dump_event, dump_request
from core.clock import Clock
from core.commands import CommandRequest, CommandSpec
from core.dispatch import inbound_lane
from core.ids import Ids
from core.platform import PlatformEvent
from storage.inbox import GroupCommit, InboxKind, InboxRow


class Router:
    """The Inbound port over the inbox. What one person does, and what happens in one space, stays in order: it shares a lane."""

    def __init__(self, *, group: GroupCommit, clock: Clock, ids: Ids) -> None:
        self._group = group
        self._clock = clock
        self._ids = ids

    @property
    def commands(self) -> Sequence[CommandSpec]:
        return [command.spec for command in COMMANDS]

    async def on_command(self, request: CommandRequest) -> None:
        payload, handle = dump_request(request)
        now = self._clock.now()
        await self._group.record(
            InboxRow(
                id=self._ids.new(),
                kind=InboxKind.COMMAND,
                source=request.platform,
                event_id=f"command:{request.id}",
                type=" ".join(request.words),
                object_id=request.user,
                lane=inbound_lane(request.platform, request.realm, request.user),
                payload=payload,
                handle=handle,
                received_at=now,
                due_at=now,
            )
        )

    async def on_event(self, event: PlatformEvent) -> None:
        now = self._clock.now()
        await self._group.record(
            InboxRow(
                id=self._ids.new(),
                kind=InboxKind.EVENT,
                source=event.space.platform,
                event_id=f"event:{event.id}",
                type=event.kind,
                object_id=event.space.external_id,
                lane=inbound_lane(event.space.platform, event.space.realm, event.space.external_id),
                payload=dump_event(event),
                received_at=now,
                due_at=now,
            )
        )
