"""Where the ranks of a server come from: the gateway's cache when it can be trusted, one call for all who ask when not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from adapters.discord.guilds import Guilds
from sandbox.clock import VirtualClock
from tests.adapters.discord.emulated import Emulated

JOINED = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
async def world(clock: VirtualClock) -> AsyncIterator[Emulated]:
    async with Emulated(clock).serving() as emulated:
        yield emulated


def cached(guild_id: int, **changed: object) -> discord.Guild:
    role = SimpleNamespace(id=7, name="From the cache", position=1, permissions=SimpleNamespace(value=0), managed=False)
    me = SimpleNamespace(joined_at=JOINED, roles=[role])
    return cast("discord.Guild", SimpleNamespace(**{"id": guild_id, "unavailable": False, "me": me, "roles": [role], **changed}))


def asked(world: Emulated) -> int:
    return world.calls("GET", "/roles")


async def test_a_cache_kept_up_to_date_needs_no_call(world: Emulated, clock: VirtualClock) -> None:
    guilds = Guilds(world.adapter._rest, lambda _: cached(world.server.id), clock)

    ranks = await guilds.ranks(world.space.external_id)

    assert [role.name for role in ranks.roles.values()] == ["From the cache"]
    assert asked(world) == 0


@pytest.mark.parametrize(
    "changed",
    [{"unavailable": True}, {"me": None}, {"me": SimpleNamespace(joined_at=None, roles=[])}],
    ids=["an outage", "we are not in it", "a stand-in without roles"],
)
async def test_a_cache_that_does_not_know_us_is_not_believed(world: Emulated, clock: VirtualClock, changed: dict[str, Any]) -> None:
    guilds = Guilds(world.adapter._rest, lambda _: cached(world.server.id, **changed), clock)

    ranks = await guilds.ranks(world.space.external_id)

    assert ranks.allowed.manage_roles
    assert asked(world) == 1


async def test_many_who_ask_at_once_make_one_call_and_so_for_five_minutes(world: Emulated, clock: VirtualClock) -> None:
    guilds = Guilds(world.adapter._rest, lambda _: None, clock)

    await asyncio.gather(*(guilds.ranks(world.space.external_id) for _ in range(10)))
    assert asked(world) == 1
    clock.advance(timedelta(minutes=5))
    await guilds.ranks(world.space.external_id)

    assert asked(world) == 2


async def test_after_a_change_nothing_remembered_is_believed(world: Emulated, clock: VirtualClock) -> None:
    guilds = Guilds(world.adapter._rest, lambda _: None, clock)
    await guilds.ranks(world.space.external_id)

    guilds.forget(world.space.external_id)
    await guilds.ranks(world.space.external_id)

    assert asked(world) == 2
