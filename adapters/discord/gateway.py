"""One connection to Discord's gateway, as discord.py keeps it."""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

import discord

from adapters.discord.inbound import Host
from adapters.discord.rest import Rest
from core.clock import Clock, sleep
from core.platform import EventKind

log = logging.getLogger(__name__)

_BETWEEN_SESSIONS = timedelta(seconds=5)
_GOODBYE = 3.0


class Gateway(discord.Client):
    """One gateway connection, used once: after it ends a new one is made.

    No member is cached but the bot itself: discord.py keeps silent about a join of someone it still has in its cache.
    """

    def __init__(self, host: Host, rest: Rest, clock: Clock, tasks: asyncio.TaskGroup, *, members: bool) -> None:
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
