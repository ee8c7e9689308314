"""What Discord tells us through the gateway, handed in as commands and events."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import discord

from adapters.discord.answers import Answers
from adapters.discord.interactions import asked, request
from adapters.discord.rest import Rest
from core.clock import Clock, sleep
from core.ids import Ids, PlatformName, PlatformUserId
from core.platform import EventKind, Inbound, PlatformEvent, Space

log = logging.getLogger(__name__)

UNKNOWN_COMMAND = "I don't know that command any more. Type / and pick one from the list."
_BETWEEN_SESSIONS = timedelta(seconds=5)
_GOODBYE = 3.0
_SETTLING = 0.2
"""Real seconds in which changes of roles are taken together: dragging one role moves many, and each is told."""
NOT_STORED = "I could not write that down just now, so nothing was done. Please try again in a minute."


class Gateway(discord.Client):
    """One gateway connection, used once: after it ends a new one is made.

    No member is cached but the bot itself: discord.py keeps silent about a join of someone it still has in its cache.
    """

    def __init__(self, host: "Host", rest: Rest, clock: Clock, tasks: asyncio.TaskGroup, *, members: bool) -> None:
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # there is no voice here, so nobody needs to be told
        super().__init__(
            intents=discord.Intents(guilds=True, members=members),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0.1,  # seconds discord.py waits for more servers before it says "ready", which nobody here waits for
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.http = rest
        self._connection.http = rest
        self._host, self._clock, self._tasks = host, clock, tasks
        self.connected = False

    async def close(self) -> None:
        """Disconnect; a gateway that does not say goodbye is left after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                await super().close()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - discord.py's own
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    def _schedule_event(self, coro: Any, event_name: str, *args: Any, **kwargs: Any) -> asyncio.Task[None]:  # noqa: ANN401
        """Let our task group own what discord.py would leave to the loop."""
        return self._tasks.create_task(self._run_event(coro, event_name, *args, **kwargs), name=f"discord {event_name}")

    async def on_error(self, event_method: str, /, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401
        log.exception("handling %s failed", event_method)  # noqa: LOG004 - discord.py calls it from its except block

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:  # noqa: ARG002 - discord.py's own
        """Discord takes one new session in five seconds."""
        if not initial:
            await sleep(self._clock, _BETWEEN_SESSIONS)

    async def on_connect(self) -> None:
        self.connected = True
        await self._host.still_in({guild.id for guild in self.guilds})

    async def on_resumed(self) -> None:
        self.connected = True

    async def on_disconnect(self) -> None:
        self.connected = False

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        await self._host.command(interaction)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self._host.space_added(guild)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        await self._host.space_added(guild)

    async def on_guild_update(self, before: discord.Guild, after: discord.Guild) -> None:
        if (before.name, before.owner_id) != (after.name, after.owner_id):
            await self._host.space_added(after)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self._host.space_removed(guild.id)

    async def on_member_join(self, member: discord.Member) -> None:
        await self._host.event(EventKind.MEMBER_JOINED, member.guild.id, user=member.id)

    async def on_raw_member_remove(self, gone: discord.RawMemberRemoveEvent) -> None:
        await self._host.event(EventKind.MEMBER_LEFT, gone.guild_id, user=gone.user.id)

    async def on_guild_role_create(self, role: discord.Role) -> None:
        await self._host.resources_changed(role.guild.id)

    async def on_guild_role_delete(self, role: discord.Role) -> None:
        await self._host.resources_changed(role.guild.id)

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if _standing(before) != _standing(after):
            await self._host.resources_changed(after.guild.id)

    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        if self.user is not None and after.id == self.user.id and before.roles != after.roles:
            await self._host.resources_changed(after.guild.id)


def _standing(role: discord.Role) -> tuple[object, ...]:
    return role.name, role.position, role.permissions.value, role.managed


class Host:
    """Takes what gateway connections receive, one after another, and hands it in; knows from one to the next which servers we are in."""

    def __init__(self, platform: PlatformName, inbound: Inbound, answers: Answers, clock: Clock, ids: Ids) -> None:
        self._platform, self._inbound, self._answers = platform, inbound, answers
        self._clock, self._ids = clock, ids
        self._changed: dict[int, bool] = {}
        self._known: set[int] = set()
        self.on_change: Callable[[str], None] = _ignore

    async def command(self, interaction: discord.Interaction) -> None:
        """Store a command, then acknowledge it: what was acknowledged is never lost."""
        meant = asked(self._inbound.commands, interaction)
        if meant is None:
            if interaction.type in {discord.InteractionType.application_command, discord.InteractionType.component}:
                await self._answers.say(interaction, UNKNOWN_COMMAND)
            return
        async with self._answers.acknowledging(interaction):
            stored = False
            try:
                await self._inbound.on_command(request(self._platform, self._clock, interaction, meant))
                stored = True
            finally:
                if not stored:
                    await self._answers.say(interaction, NOT_STORED)
            await self._answers.defer(interaction, private=meant.spec.private)

    async def event(self, kind: EventKind, guild: int, *, user: int | None = None, name: str = "") -> None:
        """Store an event. Discord gives events no id, so each delivery has its own: what follows from one may happen twice."""
        await self._inbound.on_event(
            PlatformEvent(
                id=self._ids.new(),
                kind=kind,
                space=Space(self._platform, "", str(guild)),
                at=self._clock.now(),
                user=PlatformUserId(str(user)) if user else None,
                name=name,
            )
        )

    async def space_added(self, guild: discord.Guild) -> None:
        """Say that we are in ``guild``: after joining it, and each time a connection begins."""
        self.on_change(str(guild.id))
        self._known.add(guild.id)
        await self.event(EventKind.SPACE_ADDED, guild.id, user=guild.owner_id, name=guild.name)

    async def space_removed(self, guild: int) -> None:
        """Say that we are in ``guild`` no more."""
        self.on_change(str(guild))
        self._known.discard(guild)
        await self.event(EventKind.SPACE_REMOVED, guild)

    async def still_in(self, guilds: set[int]) -> None:
        """Take the list a connection begins with: a server missing from it removed us while nobody listened."""
        for gone in sorted(self._known - guilds):
            await self.space_removed(gone)

    async def resources_changed(self, guild: int) -> None:
        """Say that roles changed, once for all that changed together; what comes while that is being stored becomes one more."""
        self.on_change(str(guild))
        if guild in self._changed:
            self._changed[guild] = True
            return
        self._changed[guild] = True
        try:
            while self._changed[guild]:
                await asyncio.sleep(_SETTLING)
                self._changed[guild] = False
                await self.event(EventKind.RESOURCES_CHANGED, guild)
        finally:
            del self._changed[guild]


def _ignore(_space: str) -> None:
    """Nobody needs to know."""
