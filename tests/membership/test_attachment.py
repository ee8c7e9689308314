"""A second space of a community: by a code, once, and only where nothing is lost by it."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col, select

from core.errors import Refusal
from core.ids import CauseId, CommunityId, Ids, PlatformName, PlatformUserId
from core.people import Identity
from core.platform import Space
from membership.attachment import CODE_LIFE, PURPOSE, Attachments
from membership.community import Communities
from sandbox.clock import VirtualClock
from storage import accounts
from storage.audit import AuditRow
from storage.database import Database
from storage.outbox import OutboxRow
from storage.spaces import SpaceRow
from storage.states import StateRow

DEN = PlatformName("den")
FIRST, SECOND, THIRD = (Space(DEN, "", name) for name in ("1", "2", "3"))
ANN = PlatformUserId("ann")
CAUSE = CauseId("a test")


class Places:
    """Three spaces, each with a community of its own yet, and the use cases over them."""

    def __init__(self, db: Database, clock: VirtualClock, ids: Ids) -> None:
        self.db, self.clock, self.ids = db, clock, ids
        self.communities = Communities(db=db, clock=clock, ids=ids)
        self.attachments = Attachments(db=db, clock=clock, ids=ids)

    async def build(self) -> None:
        for space in (FIRST, SECOND, THIRD):
            await self.communities.space_added(space, f"Place {space.external_id}", ANN, cause=CAUSE)

    async def home(self, space: Space) -> CommunityId:
        return (await self.communities.of_space(space)).community_id

    async def code(self, space: Space = FIRST) -> str:
        return (await self.attachments.code(await self.home(space), space, actor="den:ann", cause=CAUSE)).code

    async def attach(self, code: str, space: Space = SECOND) -> str:
        return await self.attachments.attach(code, space, actor="den:ann", cause=CAUSE)

    async def refused(self, code: str, space: Space = SECOND) -> str:
        before = await self.home(space) if space in (FIRST, SECOND, THIRD) else None
        with pytest.raises(Refusal) as refusal:
            await self.attach(code, space)
        assert before is None or await self.home(space) == before, "a refusal moves nothing"
        return refusal.value.code


@pytest.fixture
async def places(database: Database, clock: VirtualClock, ids: Ids) -> Places:
    built = Places(database, clock, ids)
    await built.build()
    return built


async def test_a_code_of_one_space_brings_another_into_its_community(places: Places) -> None:
    alone = await places.home(SECOND)
    assert await places.attach(await places.code()) == "Place 1"
    assert await places.home(SECOND) == await places.home(FIRST) != alone
    async with places.db.reading() as session:
        notices = (await session.exec(select(OutboxRow.community_id))).all()
        actions = (await session.exec(select(AuditRow.community_id, AuditRow.action).where(col(AuditRow.action).like("space.%")))).all()
    assert alone not in notices, "what its creator was still to be told is told by the community it is in now"
    assert set(actions) == {(alone, "space.moved"), (await places.home(FIRST), "space.attached")}


async def test_a_code_works_once(places: Places) -> None:
    code = await places.code()
    await places.attach(code)
    assert await places.refused(code, THIRD) == "attach_code_unknown"


async def test_a_newer_code_ends_the_one_before(places: Places) -> None:
    old, new = await places.code(), await places.code()
    assert await places.refused(old) == "attach_code_unknown"
    await places.attach(new)


async def test_a_newer_code_of_another_community_ends_nothing(places: Places) -> None:
    code = await places.code()
    await places.code(THIRD)
    await places.attach(code)


async def test_a_code_works_for_a_day(places: Places) -> None:
    code = await places.code()
    places.clock.advance(CODE_LIFE - timedelta(seconds=1))
    await places.attach(code)
    late = await places.code()
    places.clock.advance(CODE_LIFE)
    assert await places.refused(late, THIRD) == "attach_code_unknown"


@pytest.mark.parametrize("code", ["", "made up", "x" * 10_000])
async def test_what_is_no_code_is_refused(places: Places, code: str) -> None:
    await places.code()
    assert await places.refused(code) == "attach_code_unknown"


async def test_a_code_works_on_every_platform(places: Places) -> None:
    elsewhere = Space(PlatformName("lodge"), "", "2")
    await places.communities.space_added(elsewhere, "Lodge", ANN, cause=CAUSE)
    await places.attach(await places.code(), elsewhere)
    assert await places.home(elsewhere) == await places.home(FIRST)


async def test_a_state_of_a_sign_in_attaches_nothing(places: Places) -> None:
    code = await places.code()
    async with places.db.transaction() as session:
        row = (await session.exec(select(StateRow))).one()
        row.purpose = "join"
        session.add(row)
    assert await places.refused(code) == "attach_code_unknown"


async def test_only_the_code_s_hash_is_kept(places: Places) -> None:
    code = await places.code()
    async with places.db.reading() as session:
        (row,) = (await session.exec(select(StateRow))).all()
        said = [repr(line) for line in (await session.exec(select(AuditRow))).all()]
    assert row.purpose == PURPOSE
    assert code not in repr(row)
    assert code not in "".join(said)
    assert len(code) == 43


async def test_a_space_we_do_not_know_yet_is_asked_to_wait_and_the_code_stays_good(places: Places) -> None:
    code, new = await places.code(), Space(DEN, "", "new")
    assert await places.refused(code, new) == "unknown_space"
    await places.communities.space_added(new, "New", ANN, cause=CAUSE)
    await places.attach(code, new)


async def test_a_space_that_is_there_already_is_told_so_and_the_code_stays_good(places: Places) -> None:
    code = await places.code()
    assert await places.refused(code, FIRST) == "attached_already"
    await places.attach(code)


async def test_a_space_with_members_stays_by_itself_and_the_code_stays_good(places: Places) -> None:
    home = await places.home(SECOND)
    async with places.db.transaction() as session:
        await accounts.ensure(session, home, Identity(DEN, "", PlatformUserId("ben"), "Ben"), places.ids, places.clock.now())
    code = await places.code()
    assert await places.refused(code) == "has_business"
    await places.attach(code, THIRD)


async def test_of_two_spaces_that_use_a_code_at_once_one_gets_in(places: Places) -> None:
    code = await places.code()
    outcomes = await asyncio.gather(places.attach(code, SECOND), places.attach(code, THIRD), return_exceptions=True)
    assert sorted(outcome if isinstance(outcome, str) else type(outcome).__name__ for outcome in outcomes) == ["Place 1", "Refusal"]
    async with places.db.reading() as session:
        inside = (await session.exec(select(SpaceRow).where(SpaceRow.community_id == await places.home(FIRST)))).all()
    assert len(inside) == 2


async def test_of_two_communities_that_take_a_space_at_once_it_belongs_to_one(places: Places) -> None:
    first, third = await places.code(FIRST), await places.code(THIRD)
    await asyncio.gather(places.attach(first), places.attach(third))
    assert await places.home(SECOND) in {await places.home(FIRST), await places.home(THIRD)}
