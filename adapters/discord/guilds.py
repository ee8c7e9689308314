"""A server's roles and channels as they are now: from the gateway's cache where it is kept up to date, else asked for."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import discord

from adapters.discord.rest import Rest
from adapters.discord.roles import Ranks, Role
from core.clock import Clock

_REMEMBERED = timedelta(minutes=5)
"""How old an asked-for answer may be when it only guards a grant while the gateway is down."""
Cached = Callable[[str], discord.Guild | None]
"""The gateway's copy of a server, None while no connection keeps it fresh."""


class Guilds:
    """Knows the ranks of each server; concurrent questions about one server become one."""

    def __init__(self, rest: Rest, cached: Cached, clock: Clock) -> None:
        self._rest, self._cached, self._clock = rest, cached, clock
        self._remembered: dict[str, tuple[datetime, Ranks]] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def ranks(self, guild: str) -> Ranks:
        """Return the ranks in ``guild``, without a call where possible."""
        cached = self._cached(guild)
        if cached is not None and (known := _from_cache(cached)):
            return known
        async with self._asking.setdefault(guild, asyncio.Lock()):
            remembered = self._remembered.get(guild)
            if remembered and self._clock.now() < remembered[0] + _REMEMBERED:
                return remembered[1]
            return await self.fresh_ranks(guild)

    async def fresh_ranks(self, guild: str) -> Ranks:
        """Ask Discord for the ranks in ``guild``."""
        roles = await self._rest.call("GET", "/guilds/{guild_id}/roles", guild_id=guild)
        path = "/guilds/{guild_id}/members/{user_id}"
        me = await self._rest.call("GET", path, guild_id=guild, user_id=await self._rest.bot_id())
        ranks = Ranks(guild, {role["id"]: _role(role) for role in roles}, frozenset(me["roles"]))
        self._remembered[guild] = (self._clock.now(), ranks)
        return ranks

    def forget(self, guild: str) -> None:
        """Drop what was remembered of ``guild``: something changed there."""
        self._remembered.pop(guild, None)

    async def entrances(self, guild: str) -> list[str]:
        """Return the channels an invite may lead to, the best first: those the cache knows to be open to us, from the top."""
        cached = self._cached(guild)
        channels = await self._rest.call("GET", "/guilds/{guild_id}/channels", guild_id=guild)
        texts = sorted((channel for channel in channels if channel["type"] in {0, 5}), key=lambda one: (one["position"], int(one["id"])))
        return sorted((channel["id"] for channel in texts), key=lambda id_: not _open_to_invites(cached, id_))


def _from_cache(guild: discord.Guild) -> Ranks | None:
    me = guild.me
    if guild.unavailable or me is None or me.joined_at is None:  # the last: a stand-in discord.py makes, without roles
        return None
    roles = {str(role.id): Role(str(role.id), role.name, role.position, role.permissions.value, role.managed) for role in guild.roles}
    return Ranks(str(guild.id), roles, frozenset(str(role.id) for role in me.roles))


def _role(data: Mapping[str, Any]) -> Role:
    return Role(data["id"], data["name"], data["position"], int(data["permissions"]), data["managed"])


def _open_to_invites(guild: discord.Guild | None, channel: str) -> bool:
    """Without a cache any channel may be tried: Discord says no where we may not."""
    if guild is None or guild.me is None:
        return True
    known = guild.get_channel(int(channel))
    if known is None:
        return False
    allowed = known.permissions_for(guild.me)
    return allowed.create_instant_invite and allowed.view_channel
