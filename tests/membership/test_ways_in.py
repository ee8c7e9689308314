"""A creator is told to renew the link into their space before it stops working, and a change of account is not forgotten."""

from datetime import timedelta

import pytest

from core.events import Notice, NoticeKind
from core.ids import Ids
from core.text import plain
from membership.space_link import SpaceLinks
from membership.sweep_accounts import tell_of_links
from membership.wording import to_creator
from sandbox.clock import VirtualClock
from storage.database import Database
from storage.outbox import OutboxKind
from storage.space_links import LIVES, WARN_AFTER, WARN_AT
from storage.spaces import SpaceRow
from storage.sweeping import Sweep
from tests.membership.house import CAUSE, House

DOOR = "https://door.example/abc"


class Doors(House):
    """A house whose creator has given a link into it."""

    def __init__(self, db: Database, clock: VirtualClock, ids: Ids) -> None:
        super().__init__(db, clock, ids)
        self.links = SpaceLinks(db=db, clock=clock, ids=ids)

    async def build(self) -> None:
        await super().build()
        await self.give()

    async def give(self, url: str = DOOR) -> None:
        await self.links.give(self.id, self.space, url, actor="memory:1", cause=CAUSE)

    async def come(self, number: int) -> None:
        async with self.db.transaction() as session:
            row = await session.get_one(SpaceRow, self.space)
            row.invite_link_uses = number
            session.add(row)

    async def told(self) -> list[str]:
        """Look for what is worn, and return what the creator is told of it."""
        before = len(await self.outbox(OutboxKind.NOTICE))
        async with self.db.transaction() as session:
            tally = await tell_of_links(session, Sweep(self.clock.now(), CAUSE), self.ids, 10)
        rows = (await self.outbox(OutboxKind.NOTICE))[before:]
        assert tally.total() == len(rows)
        return [plain(to_creator(Notice.from_payload(row.payload), "Town", None).body) for row in rows]


@pytest.fixture
async def doors(database: Database, clock: VirtualClock, ids: Ids) -> Doors:
    built = Doors(database, clock, ids)
    await built.build()
    return built


async def test_a_link_of_25_days_is_told_of_once(doors: Doors) -> None:
    doors.clock.advance(WARN_AFTER - timedelta(seconds=1))
    assert await doors.told() == []
    doors.clock.advance(timedelta(seconds=1))
    (said,) = await doors.told()
    assert said == (
        "The link into Town stops working soon: you gave it on 2 November 2026, and such links live 30 days. "
        "Make a new one and give it to me with /doorman setup invite_link."
    )
    doors.clock.advance(LIVES)
    assert await doors.told() == []


async def test_a_link_that_350_came_through_is_told_of(doors: Doors) -> None:
    await doors.come(WARN_AT - 1)
    assert await doors.told() == []
    await doors.come(WARN_AT)
    (said,) = await doors.told()
    assert "350 people came in since you gave it, and such links let in 400" in said


async def test_a_new_link_is_watched_afresh(doors: Doors) -> None:
    await doors.come(WARN_AT)
    await doors.told()
    await doors.give("https://door.example/new")
    assert await doors.told() == []
    doors.clock.advance(WARN_AFTER)
    assert len(await doors.told()) == 1


async def test_no_link_is_nothing_to_tell_of(doors: Doors) -> None:
    await doors.give("none")
    doors.clock.advance(LIVES)
    assert await doors.told() == []


async def test_only_who_comes_after_the_link_counts(doors: Doors) -> None:
    at = doors.clock.now()
    await doors.links.joined(doors.where, at - timedelta(seconds=1))
    for _ in range(3):
        await doors.links.joined(doors.where, at)
    async with doors.db.reading() as session:
        assert (await session.get_one(SpaceRow, doors.space)).invite_link_uses == 3


async def test_the_creator_hears_of_it_where_notices_go(doors: Doors) -> None:
    doors.clock.advance(WARN_AFTER)
    await doors.told()
    await doors.tell_everyone()
    assert any("Your link for new members runs out" in letter for letter in doors.mail())
    assert NoticeKind.INVITE_LINK_WORN in {Notice.from_payload(row.payload).kind for row in await doors.outbox(OutboxKind.NOTICE)}
