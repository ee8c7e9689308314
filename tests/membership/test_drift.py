from collections.abc import Sequence
from typing import cast

import pytest
from sqlmodel import col, select

from core.dispatch import Lane
from core.errors import ExternalError, InstallationRevoked, RateLimited, Remedy, TransientError
from core.ids import Ids, PlatformName, PlatformUserId
from core.platform import PlatformAdapter, Resource, ResourceKind, Space
from membership.drift import Drift
from sandbox.clock import VirtualClock
from storage.audit import AuditRow
from storage.database import Database
from storage.grants import Actual, GrantRow, GrantStatus
from storage.spaces import SpaceRow
from tests.membership.town import PLATFORM, Town, everything

WAITING = {"status": GrantStatus.BLOCKED, "remedy": Remedy.MEMBER, "actual": Actual.UNKNOWN, "error_code": "not_inside"}
Held = tuple[str, str, str | None]


class Platform:
    """The one question drift asks: ``inside`` has each member's roles; ``errors`` are of whole spaces."""

    def __init__(self) -> None:
        self.inside: dict[str, Sequence[str]] = {}
        self.errors: dict[str, ExternalError] = {}
        self.asked: list[str] = []

    async def holds(self, space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        self.asked.append(user)
        if space.external_id in self.errors:
            raise self.errors[space.external_id]
        roles = self.inside.get(user)
        return None if roles is None else frozenset(Resource(space, ResourceKind.ROLE, role) for role in roles)


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def drift(database: Database, clock: VirtualClock, ids: Ids, platform: Platform) -> Drift:
    adapters: dict[PlatformName, PlatformAdapter] = {PLATFORM: cast("PlatformAdapter", platform)}
    return Drift(db=database, clock=clock, ids=ids, adapters=adapters)


async def rows(db: Database) -> list[GrantRow]:
    async with db.reading() as session:
        return list((await session.exec(select(GrantRow).order_by(col(GrantRow.id)))).all())


async def held(db: Database) -> list[Held]:
    return [(str(row.actual), str(row.status), str(row.remedy) if row.remedy else None) for row in await rows(db)]


async def test_what_is_as_it_should_be_is_only_noted(town: Town, drift: Drift, platform: Platform, clock: VirtualClock) -> None:
    who = await town.member()
    await town.grant([who])
    platform.inside[who] = ["member", "somebody-elses"]
    await drift.run()
    [row] = await rows(town.db)
    assert (row.actual, row.status, row.checked_at) == (Actual.GRANTED, GrantStatus.DONE, clock.now())
    async with town.db.reading() as session:
        assert not (await session.exec(select(AuditRow))).all()


async def test_somebody_who_left_waits_until_they_come_back(town: Town, drift: Drift, platform: Platform) -> None:
    who = await town.member()
    await town.grant([who])
    await drift.run()
    assert await held(town.db) == [("unknown", "blocked", "member")]
    async with town.db.reading() as session:
        [audit] = (await session.exec(select(AuditRow))).all()
    assert (audit.action, audit.member_id, audit.answer) == ("grant.drifted", who, "not inside")
    platform.inside[who] = []
    await drift.run()
    assert await held(town.db) == [("unknown", "pending", None)]


async def test_a_role_that_was_taken_is_due_again_and_its_lane_woken(
    town: Town, drift: Drift, platform: Platform, clock: VirtualClock
) -> None:
    who = await town.member()
    await town.grant([who], found=True)
    platform.inside[who] = []
    woken: list[Lane] = []
    town.db.on_wake(woken.append)
    await drift.run()
    [row] = await rows(town.db)
    assert (row.status, row.due_at, row.attempts) == (GrantStatus.PENDING, clock.now(), 0)
    assert not row.found, "what they had before is gone, so giving it again is ours"
    assert woken == [row.lane]


async def test_only_what_we_want_is_looked_at_and_nothing_is_ever_taken(town: Town, drift: Drift, platform: Platform) -> None:
    people = await town.members(3)
    await town.grant([people[0]], wanted=False)
    await town.grant([people[1]], status=GrantStatus.PENDING)
    await town.grant([people[2]], status=GrantStatus.BLOCKED, remedy=Remedy.CREATOR)
    before = await everything(town.db)
    for who in people:
        platform.inside[who] = ["member", "vip"]
    await drift.run()
    assert not platform.asked
    assert await everything(town.db) == before


async def test_one_question_for_an_account_and_a_space(town: Town, drift: Drift, platform: Platform) -> None:
    who = await town.member()
    await town.grant([who], "member")
    await town.grant([who], "vip")
    platform.inside[who] = ["vip"]
    await drift.run()
    assert platform.asked == [who]
    assert await held(town.db) == [("unknown", "pending", None), ("granted", "done", None)]


async def test_those_never_seen_come_first_and_then_those_not_seen_for_longest(
    town: Town, drift: Drift, platform: Platform, clock: VirtualClock
) -> None:
    long_ago, never, lately = await town.members(3)
    await town.grant([lately], checked_at=clock.now())
    await town.grant([long_ago], checked_at=town.born)
    await town.grant([never], **WAITING)
    for _ in range(3):
        await drift.run(1)
    assert platform.asked == [never, long_ago, lately]


async def test_a_run_asks_no_more_than_it_may(town: Town, drift: Drift, platform: Platform) -> None:
    await town.grant(await town.members(5))
    await drift.run(3)
    assert len(platform.asked) == 3


@pytest.mark.parametrize("error", [TransientError("no network"), RateLimited("slower", retry_after=5), InstallationRevoked("gone")])
async def test_a_space_without_an_answer_changes_nothing_and_holds_up_no_other(
    town: Town, drift: Drift, platform: Platform, clock: VirtualClock, error: ExternalError
) -> None:
    other = Town(town.db, clock.now(), "other")
    await other.build()
    await town.grant(await town.members(5))
    here = await other.members(2)
    await other.grant(here, checked_at=other.born)
    platform.errors[town.space] = error
    await drift.run(3)
    assert len(platform.asked) == 3
    assert set(here) < set(platform.asked), "one question to the silent space, the rest to the other"
    assert {row.member_id for row in await rows(town.db) if row.status == GrantStatus.BLOCKED} == set(here)


async def test_a_space_we_are_not_in_is_not_asked(town: Town, drift: Drift, platform: Platform) -> None:
    await town.grant([await town.member()])
    async with town.db.transaction() as session:
        (await session.get_one(SpaceRow, town.space)).connected = False
    await drift.run()
    assert not platform.asked


async def test_an_answer_that_was_overtaken_is_not_written(
    town: Town, drift: Drift, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await town.member()
    await town.grant([who], **WAITING)
    whole = platform.holds

    async def slow(space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        answer = await whole(space, user)
        async with town.db.transaction() as session:  # they join, and the drain gives them the role, while the answer is on its way
            [row] = (await session.exec(select(GrantRow))).all()
            row.status, row.actual, row.remedy = GrantStatus.DONE, Actual.GRANTED, None
        return answer

    monkeypatch.setattr(platform, "holds", slow)
    await drift.run()
    assert await held(town.db) == [("granted", "done", None)]


async def test_a_dry_run_asks_and_touches_nothing(town: Town, drift: Drift, platform: Platform) -> None:
    gone, taken = await town.members(2)
    await town.grant([gone, taken])
    platform.inside[taken] = []
    before = await everything(town.db)
    woken: list[Lane] = []
    town.db.on_wake(woken.append)
    report = await drift.run(dry_run=True)
    assert report.counts == {("not inside", town.id): 1, ("taken or rejoined", town.id): 1}
    assert await everything(town.db) == before
    assert not woken
    assert str(await drift.run(dry_run=True)) == str(report)


async def test_a_second_run_finds_nothing_new(town: Town, drift: Drift) -> None:
    await town.grant([await town.member()])
    await drift.run()
    before = await everything(town.db)
    await drift.run()
    assert await everything(town.db) == before
