"""One person, several accounts: proven on both sides, one at a time on each seat, and never two of them holding what we gave."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from core.errors import Refusal
from core.ids import AccountId, CauseId, Ids, MemberId, PlatformName, PlatformUserId, SpaceId
from core.people import GUEST, Identity
from core.platform import ResourceKind
from membership.linking import CODE_LIFE, Linked, Linking
from membership.seat import COOL_DOWN, YEAR, next_change
from membership.sweep_accounts import go_on
from sandbox.clock import VirtualClock
from sandbox.memory.world import Somebody
from storage import accounts
from storage.account_changes import AccountChangeRow
from storage.accounts import AccountRow
from storage.audit import AuditRow
from storage.database import Database
from storage.members import MemberRow
from storage.outbox import OutboxKind
from storage.plan_resources import PlanResourceRow
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.states import StateRow
from storage.sweeping import Sweep
from tests.membership.house import ABOVE, CAUSE, House
from tests.membership.town import PLATFORM

QUAY, LATER = PlatformName("quay"), timedelta(hours=2)
NOW = datetime(2026, 11, 2, tzinfo=UTC)


class Linkings(House):
    """A house whose people have several accounts; a second space, ``quay``, is on another platform, in realm ``W1``."""

    def __init__(self, db: Database, clock: VirtualClock, ids: Ids) -> None:
        super().__init__(db, clock, ids)
        self.linking = Linking(db=db, clock=clock, ids=ids)

    async def build(self) -> None:
        await super().build()
        await self.store([
            SpaceRow(id=SpaceId("quay"), community_id=self.id, platform=QUAY, realm="W1", external_id="W1", name="Quay",
                     installer=PlatformUserId("1"), created_at=self.born)
        ])  # fmt: skip
        await self.store(
            [
                ResourceRow(
                    id=self.role("deck"),
                    community_id=self.id,
                    space_id=SpaceId("quay"),
                    kind=ResourceKind.CHANNEL,
                    external_id="deck",
                    name="deck",
                )
            ]
        )
        await self.store([PlanResourceRow(plan_id=self.gold, resource_id=self.role("deck"), community_id=self.id)])

    def who(self, name: str, platform: PlatformName = PLATFORM, realm: str = "") -> Identity:
        return Identity(platform, realm, PlatformUserId(name), name)

    def lives(self, *names: str) -> None:
        """Let people be in the space whom we do not know."""
        for name in names:
            self.world.people[PlatformUserId(name)] = Somebody(name)
            self.place.members[PlatformUserId(name)] = set()

    async def code(self, who: str) -> str:
        return (await self.linking.offer(self.id, self.who(who), cause=CAUSE)).code

    async def link(self, who: str, new: Identity) -> Linked:
        return await self.linking.redeem(await self.code(who), new, cause=CAUSE)

    async def refused(self, who: str, new: Identity) -> str:
        with pytest.raises(Refusal) as refusal:
            await self.link(who, new)
        return refusal.value.code

    async def account(self, who: Identity) -> AccountRow | None:
        async with self.db.reading() as session:
            return await accounts.find(session, self.id, who)

    async def seated(self, member: MemberId) -> dict[str, bool]:
        """Return a member's accounts by name, and whether each is in its place."""
        async with self.db.reading() as session:
            rows = (await session.exec(select(AccountRow).where(AccountRow.member_id == member))).all()
        return {row.external_id: row.active for row in rows}

    async def goes_on(self) -> None:
        """Do what follows from what was written: reconcile whoever asks for it, and carry out what is due, until nothing is."""
        for _ in range(4):
            for lane in sorted({row.lane for row in await self.outbox(OutboxKind.RECONCILE)}):
                await self.drain_work(lane)
            await self.drain()

    async def audited(self) -> list[str]:
        async with self.db.reading() as session:
            rows = (await session.exec(select(AuditRow).order_by(col(AuditRow.at), col(AuditRow.id)))).all()
        return [row.action for row in rows if row.subject_kind == "account"]


@pytest.fixture
async def house(database: Database, clock: VirtualClock, ids: Ids) -> Linkings:
    built = Linkings(database, clock, ids)
    await built.build()
    return built


async def test_an_account_on_another_platform_joins_the_member_and_is_given_what_is_paid_for(house: Linkings) -> None:
    ann = await house.settler()
    await house.sell(ann)
    assert await house.link(ann, house.who("anna", QUAY, "W1")) == Linked("Town")
    await house.reconcile(ann)
    assert await house.seated(ann) == {ann: True, "anna": True}
    assert {(row.resource_id, row.account_id == AccountId(ann)) for row in await house.rows() if row.wanted} == {
        (house.role("member"), True), (house.role("vip"), True), (house.role("deck"), False)
    }  # fmt: skip
    assert sorted(await house.audited()) == ["account.link_offered", "account.linked"]


async def test_only_the_hash_of_a_code_is_kept_and_a_new_one_ends_the_one_before(house: Linkings) -> None:
    ann = await house.settler()
    first = await house.code(ann)
    second = await house.code(ann)
    async with house.db.reading() as session:
        (row,) = (await session.scalars(select(StateRow))).all()
    assert len(first) == 43
    assert second not in row.model_dump_json()
    with pytest.raises(Refusal, match="/link gives you a new one"):
        await house.linking.redeem(first, house.who("anna", QUAY, "W1"), cause=CAUSE)


async def test_a_code_works_once(house: Linkings) -> None:
    ann = await house.settler()
    code = await house.code(ann)
    await house.linking.redeem(code, house.who("anna", QUAY, "W1"), cause=CAUSE)
    with pytest.raises(Refusal, match="each works once"):
        await house.linking.redeem(code, house.who("bob", QUAY, "W1"), cause=CAUSE)
    assert await house.account(house.who("bob", QUAY, "W1")) is None


async def test_of_many_who_claim_with_one_code_at_once_one_has_it(house: Linkings) -> None:
    ann = await house.settler()
    code = await house.code(ann)
    claims = [house.linking.redeem(code, house.who(f"anna-{number}", QUAY, "W1"), cause=CAUSE) for number in range(6)]
    ends = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(end, Linked) for end in ends) == 1
    assert {type(end) for end in ends} == {Linked, Refusal}
    assert len(await house.seated(ann)) == 2


async def test_a_code_is_over_after_half_an_hour(house: Linkings) -> None:
    code = await house.code(await house.settler())
    house.clock.advance(CODE_LIFE)
    with pytest.raises(Refusal, match="not any more"):
        await house.linking.redeem(code, house.who("anna", QUAY, "W1"), cause=CAUSE)
    with pytest.raises(Refusal, match="not any more"):
        await house.linking.look(code)


@pytest.mark.parametrize("code", ["", "x", "x" * 500])
async def test_a_code_nobody_made_is_refused(house: Linkings, code: str) -> None:
    with pytest.raises(Refusal, match="does not work here"):
        await house.linking.redeem(code, house.who("anna", QUAY, "W1"), cause=CAUSE)


async def test_a_code_of_another_purpose_is_no_link_code(house: Linkings) -> None:
    ann = await house.settler()
    code = await house.code(ann)
    async with house.db.transaction() as session:
        (row,) = (await session.scalars(select(StateRow))).all()
        row.purpose = "attach"
        session.add(row)
    with pytest.raises(Refusal, match="does not work here"):
        await house.linking.redeem(code, house.who("anna", QUAY, "W1"), cause=CAUSE)


async def test_a_code_used_in_another_community_or_from_elsewhere_is_refused_and_stays_good(house: Linkings) -> None:
    ann = await house.settler()
    code = await house.code(ann)
    other = Linkings(house.db, house.clock, house.ids)
    other.id, other.space = type(other.id)("other"), SpaceId("other-space")
    with pytest.raises(Refusal) as refusal:
        await house.linking.redeem(code, house.who("anna", QUAY, "W1"), cause=CAUSE, community=other.id)
    assert refusal.value.code == "link_code_unknown"
    with pytest.raises(Refusal) as refusal:
        await house.linking.redeem(code, house.who("anna", QUAY, "W2"), cause=CAUSE)
    assert refusal.value.code == "account_elsewhere"
    with pytest.raises(Refusal):
        await house.linking.redeem(code, house.who("guest", GUEST), cause=CAUSE)
    assert await house.seated(ann) == {ann: True}
    await house.linking.redeem(code, house.who("anna", QUAY, "W1"), cause=CAUSE, community=house.id)


async def test_a_stranger_has_nothing_to_link(house: Linkings) -> None:
    with pytest.raises(Refusal, match="/join"):
        await house.linking.offer(house.id, house.who("nobody"), cause=CAUSE)
    with pytest.raises(Refusal, match="nothing to change"):
        await house.linking.allow_change(house.id, house.who("nobody"), actor="memory:1", cause=CAUSE)


async def test_what_a_code_is_of_is_said_without_using_it_up(house: Linkings) -> None:
    ann = await house.settler()
    code = await house.code(ann)
    offered = await house.linking.look(code)
    assert (offered.community_name, offered.platform, offered.name) == ("Town", PLATFORM, ann)
    assert offered.ways == ((QUAY, "Quay"), (PLATFORM, "Town"))
    await house.linking.redeem(code, house.who("anna", QUAY, "W1"), cause=CAUSE)


async def test_an_account_of_a_member_without_business_moves(house: Linkings) -> None:
    ann = await house.settler()
    async with house.db.transaction() as session:
        known = await accounts.ensure(session, house.id, house.who("anna", QUAY, "W1"), house.ids, house.clock.now())
    before = known.member_id
    await house.link(ann, house.who("anna", QUAY, "W1"))
    assert await house.seated(ann) == {ann: True, "anna": True}
    assert await house.seated(before) == {}


async def test_an_account_of_a_member_with_business_stays_where_it_is(house: Linkings) -> None:
    ann, bob = await house.settlers(2)
    await house.order(bob)
    assert await house.refused(ann, house.who(bob)) == "account_taken"
    assert await house.seated(bob) == {bob: True}


async def test_linking_what_is_linked_is_fine(house: Linkings) -> None:
    ann = await house.settler()
    for _ in range(2):
        await house.link(ann, house.who("anna", QUAY, "W1"))
    assert await house.link(ann, house.who(ann)) == Linked("Town")
    assert await house.seated(ann) == {ann: True, "anna": True}


async def test_a_guest_who_paid_gets_in_with_the_account_they_make_afterwards(house: Linkings) -> None:
    async with house.db.transaction() as session:
        guest = await accounts.ensure(session, house.id, house.who("guest", GUEST), house.ids, house.clock.now())
    await house.passes([guest.member_id], None)
    assert await house.reconcile(guest.member_id) == 0, "there is nobody yet to be given anything"
    house.lives("gil")
    await house.linking.link(house.id, house.who("guest", GUEST), house.who("gil"), cause=CAUSE)
    await house.goes_on()
    assert house.held("gil") == {"member", "vip"}


async def test_the_old_account_is_stripped_before_the_new_one_is_given_anything(house: Linkings) -> None:
    ann = await house.settler()
    house.lives("anna")
    await house.sell(ann)
    await house.drain()
    assert await house.link(ann, house.who("anna")) == Linked("Town", ann)
    assert await house.seated(ann) == {ann: False, "anna": False}
    await house.reconcile(ann)
    assert house.held(ann) == {"member", "vip"}
    assert not [row for row in await house.rows() if row.wanted], "the new one waits"
    await house.goes_on()
    assert (house.held(ann), house.held("anna")) == (set(), {"member", "vip"})
    assert await house.seated(ann) == {ann: False, "anna": True}
    order = [(call.verb, call.user) for call in house.adapter.changes]
    assert order.index(("grant", "anna")) > max(index for index, call in enumerate(order) if call == ("revoke", ann))
    assert sorted(await house.audited()) == ["account.change_begun", "account.changed", "account.link_offered", "account.linked"]


async def test_whoever_holds_nothing_yet_changes_at_once(house: Linkings) -> None:
    ann = await house.settler()
    await house.link(ann, house.who("anna"))
    await house.reconcile(ann)
    assert await house.seated(ann) == {ann: False, "anna": True}


async def test_a_new_account_waits_while_the_platform_refuses_to_strip_the_old_one(house: Linkings) -> None:
    ann = await house.settler()
    house.lives("anna")
    await house.sell(ann)
    await house.drain()
    house.adapter.refused[ann, "vip"] = ABOVE
    await house.link(ann, house.who("anna"))
    await house.goes_on()
    assert (house.held(ann), house.held("anna")) == ({"vip"}, set())
    assert await house.link(ann, house.who("anna")) == Linked("Town", ann), "it still waits, and asking again is fine"
    assert await house.refused(ann, house.who("third")) == "change_under_way"
    house.adapter.refused.clear()
    await house.probe()
    await house.goes_on()
    assert (house.held(ann), house.held("anna")) == (set(), {"member", "vip"})


async def test_a_change_goes_on_when_the_old_account_leaves_by_itself(house: Linkings) -> None:
    ann = await house.settler()
    house.lives("anna")
    await house.sell(ann)
    await house.drain()
    house.adapter.refused[ann, "vip"] = ABOVE
    await house.link(ann, house.who("anna"))
    await house.goes_on()
    await house.leaves(ann)
    async with house.db.transaction() as session:
        assert (await go_on(session, Sweep(house.clock.now(), CauseId("sweep")), house.ids, 10)).total() == 1
    await house.goes_on()
    assert house.held("anna") == {"member", "vip"}


async def change(house: Linkings, member: str, new: str) -> None:
    await house.link(member, house.who(new))
    await house.reconcile(MemberId(member))


async def test_a_second_change_waits_a_month_and_a_fourth_a_year(house: Linkings) -> None:
    ann = await house.settler()
    await change(house, ann, "a1")
    assert await house.refused(ann, house.who("a2")) == "change_too_soon"
    for number in (2, 3):
        house.clock.advance(COOL_DOWN)
        await change(house, ann, f"a{number}")
    house.clock.advance(COOL_DOWN)
    with pytest.raises(Refusal, match="whoever runs Town can allow it sooner"):
        await house.link(ann, house.who("a4"))
    house.clock.advance(YEAR - 3 * COOL_DOWN)
    await change(house, ann, "a4")
    assert [name for name, active in (await house.seated(ann)).items() if active] == ["a4"]


async def test_a_creator_allows_one_change_more(house: Linkings) -> None:
    ann = await house.settler()
    await change(house, ann, "a1")
    await house.linking.allow_change(house.id, house.who("a1"), actor="memory:1", cause=CAUSE)
    await house.linking.allow_change(house.id, house.who("a1"), actor="memory:1", cause=CAUSE)
    await change(house, ann, "a2")
    assert await house.refused(ann, house.who("a3")) == "change_too_soon"
    assert "account.change_allowed" in await house.audited()


async def test_a_creators_leave_is_over_after_a_week(house: Linkings) -> None:
    ann = await house.settler()
    await change(house, ann, "a1")
    await house.linking.allow_change(house.id, house.who("a1"), actor="memory:1", cause=CAUSE)
    house.clock.advance(timedelta(days=7))
    assert await house.refused(ann, house.who("a2")) == "change_too_soon"


async def test_going_back_to_an_account_is_a_change_too(house: Linkings) -> None:
    ann = await house.settler()
    await change(house, ann, "a1")
    assert await house.refused(ann, house.who(ann)) == "change_too_soon"
    house.clock.advance(COOL_DOWN)
    await change(house, ann, ann)
    assert await house.seated(ann) == {ann: True, "a1": False}
    async with house.db.reading() as session:
        assert all(row.done_at is not None for row in (await session.exec(select(AccountChangeRow))).all())


async def test_an_account_that_was_replaced_is_not_free_for_others(house: Linkings) -> None:
    ann, bob = await house.settlers(2)
    await change(house, ann, "a1")
    assert await house.refused(bob, house.who(ann)) == "account_taken"


async def test_the_member_who_is_left_without_accounts_stays_in_the_books(house: Linkings) -> None:
    ann = await house.settler()
    async with house.db.transaction() as session:
        known = await accounts.ensure(session, house.id, house.who("anna", QUAY, "W1"), house.ids, house.clock.now())
    await house.link(ann, house.who("anna", QUAY, "W1"))
    async with house.db.reading() as session:
        assert await session.get(MemberRow, known.member_id) is not None


@pytest.mark.parametrize(
    ("ago", "waits"),
    [([], None), ([30], None), ([29], 1), ([360, 200, 31], 5), ([365, 200, 31], None), ([360, 350, 200, 31], 15), ([100, 60, 2], 265)],
)
def test_when_an_account_may_be_changed_again(ago: list[int], waits: int | None) -> None:
    made = [NOW - timedelta(days=days) for days in ago]
    assert next_change(made, NOW) == (None if waits is None else NOW + timedelta(days=waits))
