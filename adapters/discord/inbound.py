"""What Discord tells us through the gateway, handed in as commands and events."""

import asyncio
from collections.abc import Callable

import discord

from adapters.discord.answers import Answers
from adapters.discord.interactions import asked, request
from core.clock import Clock
from core.ids import Ids, PlatformName, PlatformUserId
from core.platform import EventKind, Inbound, PlatformEvent, Space

UNKNOWN_COMMAND = "I don't know that command any more. Type / and pick one from the list."
NOT_STORED = "I could not write that down just now, so nothing was done. Please try again in a minute."
_SETTLING = 0.2
"""Real seconds in which changes of roles are taken together: dragging one role moves many, and each is told."""


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
