from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from core.dispatch import Lane, work_lane
from core.errors import Remedy
from core.events import Notice, NoticeKind
from core.ids import AccountId, CauseId, ChangeId, CommunityId, Ids, InviteId, MemberId, OwnerTaskId, PlatformUserId
from core.platform import LinkButton
from core.text import plain
from membership.sweep import Sweeper, SweepReport
from membership.wording import to_member
from sandbox.clock import VirtualClock
from storage.account_changes import AccountChangeRow
from storage.audit import AuditRow
from storage.communities import CommunityRow
from storage.credentials import CredentialRow
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.grants import Actual, GrantRow, GrantStatus
from storage.inbox import WorkStatus
from storage.invites import InviteRow
from storage.orders import OrderRow, OrderStatus
from storage.outbox import OutboxKind, OutboxRow
from storage.overdue import SubscriptionRef
from storage.owner_tasks import OwnerTaskRow
from storage.spaces import SpaceRow
from storage.states import BrowserRow, StateRow
from storage.sweeping import Sweep, end_passes
from tests.membership.town import PLATFORM, Town, everything
from tests.storage.rows import inbox_row, outbox_row

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


class Asked:
    """A refetch port that remembers what it was asked and changes nothing."""

    def __init__(self) -> None:
        self.asked: dict[CommunityId, list[str]] = {}

    async def __call__(
        self, community: CommunityId, refs: Iterable[SubscriptionRef], *, cause: CauseId, dry_run: bool = False
    ) -> Counter[str]:
        assert cause
        self.asked[community] = sorted(ref.external_id for ref in refs)
        return Counter({"asked" if not dry_run else "to ask": len(self.asked[community])})


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def sweeper(database: Database, clock: VirtualClock, ids: Ids, asked: Asked) -> Sweeper:
    return Sweeper(db=database, clock=clock, ids=ids, refetch=asked)


async def states(db: Database) -> dict[MemberId, str]:
    async with db.reading() as session:
        return {row.member_id: str(row.state) for row in (await session.exec(select(EntitlementRow))).all()}


async def work(db: Database, kind: OutboxKind) -> list[OutboxRow]:
    async with db.reading() as session:
        return list((await session.exec(select(OutboxRow).where(col(OutboxRow.kind) == kind).order_by(OutboxRow.subject))).all())


def counted(report: SweepReport, what: str) -> int:
    return sum(number for (name, _), number in report.counts.items() if name == what)


async def test_a_pass_ends_at_its_last_moment_and_not_before(town: Town, sweeper: Sweeper, clock: VirtualClock) -> None:
    over, going, for_life = await town.members(3)
    await town.passes([over], clock.now())
    await town.passes([going], clock.now() + SECOND)
    await town.passes([for_life], None)

    report = await sweeper.run()

    assert await states(town.db) == {over: "ended", going: "active", for_life: "active"}
    assert report.counts["passes ended", town.id] == 1
    clock.advance(SECOND)
    await sweeper.run()
    assert (await states(town.db))[going] == "ended"


@pytest.mark.parametrize("kind", [kind for kind in SourceKind if kind is not SourceKind.SUBSCRIPTION])
async def test_whatever_was_given_for_a_time_ends_by_itself(town: Town, sweeper: Sweeper, clock: VirtualClock, kind: SourceKind) -> None:
    who = await town.member()
    await town.entitle([(who, kind, "source", clock.now() - DAY, town.gold)])
    await sweeper.run()
    assert await states(town.db) == {who: "ended"}


async def test_what_follows_from_an_end_is_written_with_it(town: Town, sweeper: Sweeper, clock: VirtualClock) -> None:
    who = await town.member()
    await town.passes([who], clock.now())
    woken: list[Lane] = []
    town.db.on_wake(woken.append)

    await sweeper.run()

    [reconcile], [notice] = await work(town.db, OutboxKind.RECONCILE), await work(town.db, OutboxKind.NOTICE)
    assert (reconcile.subject, reconcile.lane, reconcile.status) == (who, work_lane(who), WorkStatus.PENDING)
    assert (notice.subject, notice.lane) == (who, work_lane(who))
    assert Notice.from_payload(notice.payload) == Notice(NoticeKind.ENDED, {"plan": town.gold, "why": "ended"})
    assert work_lane(who) in woken
    async with town.db.reading() as session:
        [entitlement] = (await session.exec(select(EntitlementRow))).all()
        [audit] = (await session.exec(select(AuditRow))).all()
    assert (entitlement.ended_at, entitlement.cause_id) == (clock.now(), reconcile.cause_id)
    assert (audit.action, audit.subject_id, audit.member_id, audit.at) == ("entitlement.changed", entitlement.id, who, clock.now())
    assert (audit.before, audit.after, audit.cause_id) == ({"state": "active"}, {"state": "ended"}, reconcile.cause_id)


async def test_a_second_sweep_changes_nothing(town: Town, sweeper: Sweeper, clock: VirtualClock) -> None:
    people = await town.members(5)
    await town.passes(people, clock.now())
    await town.order(people[0])
    await sweeper.run()
    before = await everything(town.db)

    report = await sweeper.run()

    assert await everything(town.db) == before
    assert str(report) == "Nothing is due."


async def test_a_dry_run_says_what_would_happen_and_touches_nothing(
    town: Town, sweeper: Sweeper, clock: VirtualClock, asked: Asked
) -> None:
    people = await town.members(4)
    await town.passes(people[:2], clock.now())
    await town.subscribe([people[2]], clock.now())
    await town.subscribe([people[3]], clock.now() + DAY, **failing(clock.now() - DAY))
    await town.order(people[0])
    before = await everything(town.db)
    woken: list[Lane] = []
    town.db.on_wake(woken.append)

    foretold = await sweeper.run(dry_run=True)

    assert await everything(town.db) == before
    assert not woken
    assert foretold.counts["subscriptions to ask", town.id] == 1
    assert asked.asked == {town.id: ["sub_town-subscription-00007"]}
    done = await sweeper.run()
    for what in ("passes ended", "reminders of failed payments", "orders expired"):
        assert counted(foretold, what) == counted(done, what) > 0
    assert "passes ended" in str(foretold)


async def test_a_sweep_that_was_cut_short_is_finished_by_the_next(town: Town, clock: VirtualClock, ids: Ids, asked: Asked) -> None:
    people = await town.members(25)
    await town.passes(people, clock.now())
    sweeper = Sweeper(db=town.db, clock=clock, ids=ids, refetch=asked, batch=10)
    commits = iter([None, None])

    def die() -> None:
        if next(commits, "dead"):
            raise KeyboardInterrupt

    town.db.before_commit = die
    with pytest.raises(KeyboardInterrupt):
        await sweeper.run()
    town.db.before_commit = None
    assert Counter((await states(town.db)).values()) == {"ended": 20, "active": 5}
    await sweeper.run()

    assert set((await states(town.db)).values()) == {"ended"}
    assert [row.subject for row in await work(town.db, OutboxKind.RECONCILE)] == people


async def test_a_batch_ends_no_more_than_its_limit_however_the_database_goes_about_it(
    town: Town, clock: VirtualClock, sweeper: Sweeper
) -> None:
    people = await town.members(25)
    await town.passes(people, clock.now())
    async with town.db.transaction() as session:
        if not town.db.sqlite:  # the plan PostgreSQL falls back to when it has no figures: the inner query once for each row
            for way in ("hashagg", "hashjoin", "mergejoin", "material", "sort"):
                await session.execute(text(f"SET LOCAL enable_{way} = off"))
        ended = await end_passes(session, Sweep(clock.now(), CauseId("sweep")), limit=10)
    assert ended.total() == 10
    assert Counter((await states(town.db)).values()) == {"ended": 10, "active": 15}
    await sweeper.run()
    assert set((await states(town.db)).values()) == {"ended"}


async def test_nobody_hears_of_an_end_while_another_pass_opens_the_same_plan(town: Town, sweeper: Sweeper, clock: VirtualClock) -> None:
    who = await town.member()
    await town.passes([who], clock.now())
    await town.passes([who], clock.now() + DAY)
    await sweeper.run()
    assert len(await work(town.db, OutboxKind.RECONCILE)) == 1
    assert not await work(town.db, OutboxKind.NOTICE)


async def test_two_passes_that_ran_out_while_we_were_away_are_told_once_and_two_plans_twice(
    town: Town, sweeper: Sweeper, clock: VirtualClock
) -> None:
    same, both = await town.members(2)
    for until in (clock.now(), clock.now(), clock.now() - DAY):
        await town.passes([same], until)
    await town.passes([both], clock.now())
    await town.passes([both], clock.now() - DAY, town.silver)
    await sweeper.run()
    assert [row.subject for row in await work(town.db, OutboxKind.NOTICE)] == [same, both, both]


async def test_a_subscription_is_never_ended_unasked(town: Town, sweeper: Sweeper, clock: VirtualClock, asked: Asked) -> None:
    over, going = await town.members(2)
    [late] = await town.subscribe([over], clock.now())
    await town.subscribe([going], clock.now() + SECOND)
    await sweeper.run()
    assert asked.asked == {town.id: [late]}
    assert await states(town.db) == {over: "active", going: "active"}


async def test_one_asked_about_since_it_was_due_is_asked_about_hourly(
    town: Town, sweeper: Sweeper, clock: VirtualClock, asked: Asked
) -> None:
    [odd] = await town.subscribe([await town.member()], clock.now() - DAY, fetched_at=clock.now())
    await sweeper.run()
    assert not asked.asked
    clock.advance(timedelta(hours=1))
    await sweeper.run()
    assert asked.asked == {town.id: [odd]}


async def test_a_stopped_community_is_left_alone_until_a_person_confirms(
    town: Town, sweeper: Sweeper, clock: VirtualClock, asked: Asked
) -> None:
    [late] = await town.subscribe([await town.member()], clock.now())
    async with town.db.transaction() as session:
        (await session.get_one(CommunityRow, town.id)).stopped_at = clock.now()
    await sweeper.run()
    assert not asked.asked
    async with town.db.transaction() as session:
        (await session.get_one(CommunityRow, town.id)).confirmed_at = clock.now()
    await sweeper.run()
    assert asked.asked == {town.id: [late]}


def failing(since: datetime) -> dict[str, Any]:
    return {"status": "past_due", "past_due_since": since, "next_notice_at": since}


async def reminded(db: Database) -> list[dict[str, Any]]:
    notices = [Notice.from_payload(row.payload) for row in await work(db, OutboxKind.NOTICE)]
    return [dict(notice.facts) for notice in notices if notice.kind is NoticeKind.PAYMENT_FAILED]


async def test_a_failed_renewal_is_told_at_once_after_a_day_after_three_and_on_the_last_day(
    town: Town, sweeper: Sweeper, clock: VirtualClock
) -> None:
    end = clock.now() + 7 * DAY
    await town.subscribe([await town.member()], end, **failing(clock.now()))
    told: list[tuple[timedelta, list[bool]]] = []
    for _ in range(7 * 2):
        await sweeper.run()
        if len(await reminded(town.db)) > len(told):
            told.append((clock.now() - end, sorted([fact["last"] for fact in await reminded(town.db)])))
        clock.advance(timedelta(hours=12))
    assert [moment for moment, _ in told] == [-7 * DAY, -6 * DAY, -4 * DAY, -1 * DAY]
    assert told[-1][1] == [False, False, False, True]
    assert {fact["until"] for fact in await reminded(town.db)} == {end.isoformat()}


async def test_reminders_that_were_slept_through_are_one(town: Town, sweeper: Sweeper, clock: VirtualClock) -> None:
    end = clock.now() + timedelta(hours=12)
    await town.subscribe([await town.member()], end, **failing(clock.now() - 6 * DAY))
    await sweeper.run()
    assert await reminded(town.db) == [
        {"plan": town.gold, "until": end.isoformat(), "again": False, "last": True, "amount": "", "pay_url": ""}
    ]


async def test_a_reminder_says_what_is_open_and_where_to_pay_it(town: Town, sweeper: Sweeper, clock: VirtualClock) -> None:
    owed: dict[str, Any] = {"owed": 999, "owed_currency": "USD", "pay_url": "https://invoice.example/1"}
    await town.subscribe([await town.member()], clock.now() + 7 * DAY, **failing(clock.now()), **owed)
    await sweeper.run()
    (facts,) = await reminded(town.db)
    message = to_member(Notice(NoticeKind.PAYMENT_FAILED, facts), "Town")
    assert "9.99 USD is open" in plain(message.body)
    assert [(button.label, button.url) for button in message.buttons if isinstance(button, LinkButton)] == [
        ("Pay 9.99 USD", "https://invoice.example/1")
    ]


@pytest.mark.parametrize(
    ("told", "title", "begins"),
    [
        ({"again": False, "last": False}, "your payment did not go through", "The card for your Gold was declined"),
        ({"again": True, "last": False}, "your payment is still open", "Your Gold is not paid yet"),
        ({"again": True, "last": True}, "last reminder about your payment", "Your Gold is not paid yet"),
    ],
)
def test_a_reminder_is_worded_as_news_once_and_as_a_reminder_after(told: dict[str, bool], title: str, begins: str) -> None:
    facts = {"plan": "Gold", "until": "2026-12-01T00:00:00+00:00", "amount": "9.99 USD", "pay_url": "", **told}
    message = to_member(Notice(NoticeKind.PAYMENT_FAILED, facts), "Town")
    assert message.title == f"Town: {title}"
    assert plain(message.body).startswith(f"{begins}: 9.99 USD is open. You stay in until 1 December 2026.")


async def test_nobody_is_reminded_of_what_is_over(town: Town, sweeper: Sweeper, clock: VirtualClock) -> None:
    await town.subscribe([await town.member()], clock.now(), **failing(clock.now() - 7 * DAY))
    report = await sweeper.run()
    assert await reminded(town.db) == []
    assert counted(report, "reminders of failed payments") == 1
    assert counted(await sweeper.run(), "reminders of failed payments") == 0


async def test_an_order_without_a_checkout_expires_and_one_with_waits_for_the_processor(
    town: Town, sweeper: Sweeper, clock: VirtualClock
) -> None:
    people = await town.members(4)
    dead = await town.order(people[0])
    kept = {
        await town.order(people[1], expires_at=clock.now() + SECOND),
        await town.order(people[2], checkout_session_id="cs_1"),
        await town.order(people[3], status=OrderStatus.PENDING),
    }
    await sweeper.run()
    async with town.db.reading() as session:
        expired = (await session.exec(select(OrderRow.id).where(col(OrderRow.status) == OrderStatus.EXPIRED))).all()
        audited = (await session.exec(select(AuditRow.subject_id).where(AuditRow.action == "order.expired"))).all()
    assert list(expired) == list(audited) == [dead]
    assert dead not in kept


async def test_a_link_whose_time_is_over_is_marked(town: Town, sweeper: Sweeper, clock: VirtualClock) -> None:
    for name, until in (("over", clock.now()), ("going", clock.now() + SECOND), ("endless", None)):
        await town.store([InviteRow(
            id=InviteId(name), community_id=town.id, plan_id=town.gold, code=name, expires_at=until, created_by=PlatformUserId("1"),
            created_at=town.born)])  # fmt: skip
    assert counted(await sweeper.run(), "links ended") == 1
    async with town.db.reading() as session:
        ended = {row.code: row.ended_at for row in (await session.exec(select(InviteRow))).all()}
        (audit,) = (await session.exec(select(AuditRow))).all()
    assert ended == {"over": clock.now(), "going": None, "endless": None}
    assert (audit.action, audit.subject_kind, audit.subject_id, audit.at) == ("invite.ended", "invite", "over", clock.now())
    assert (audit.before, audit.after, audit.answer) == ({"state": "running"}, {"state": "ended"}, "its time was over")


async def test_what_has_had_its_time_is_forgotten(town: Town, sweeper: Sweeper, clock: VirtualClock) -> None:
    past, future, old = clock.now() - SECOND, clock.now() + DAY, clock.now() - timedelta(days=31)
    for name, until in (("past", past), ("future", future)):
        await town.store([
            StateRow(state_hash=name, browser_hash=name, platform=PLATFORM, purpose="join", subject="x", expires_at=until),
            BrowserRow(browser_hash=name, platform=PLATFORM, user=PlatformUserId("1"), name="x", expires_at=until),
        ])  # fmt: skip
        async with town.db.transaction() as session:
            session.add(CredentialRow(platform=PLATFORM, subject=name, purpose="join", secret="s", expires_at=until))
    for name, at, status in (("old", old, "done"), ("dead", old, "dead"), ("new", past, "done")):
        changes = {"status": WorkStatus(status), "due_at": old}
        async with town.db.transaction() as session:
            session.add(inbox_row(name, received_at=at, **changes))
            session.add(outbox_row(name, community_id=town.id, created_at=at, **changes))
    await sweeper.run()
    left = await everything(town.db)
    assert [len(left[name]) for name in ("states", "browsers", "credentials", "inbox", "outbox")] == [1, 1, 1, 2, 2]


async def test_a_sweep_that_finds_nothing_old_takes_no_turn_to_forget(
    town: Town, sweeper: Sweeper, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[None] = []
    monkeypatch.setattr(town.db, "before_commit", lambda: commits.append(None))
    await sweeper.run()
    idle = len(commits)
    await town.store([StateRow(
        state_hash="s", browser_hash="b", platform=PLATFORM, purpose="join", subject="x", expires_at=clock.now() - SECOND)])  # fmt: skip
    commits.clear()
    await sweeper.run()
    assert len(commits) == idle + 1


async def test_a_dry_run_leaves_nothing_out_that_a_real_one_counts(
    town: Town, database: Database, clock: VirtualClock, ids: Ids, asked: Asked
) -> None:
    async def probe(space: object, *, cause: CauseId) -> None:
        assert space
        assert cause

    past, old = clock.now() - SECOND, clock.now() - timedelta(days=31)
    await town.store([
        StateRow(state_hash="s", browser_hash="b", platform=PLATFORM, purpose="join", subject="x", expires_at=past),
        BrowserRow(browser_hash="b", platform=PLATFORM, user=PlatformUserId("1"), name="x", expires_at=past),
        CredentialRow(platform=PLATFORM, subject="x", purpose="join", secret="s", expires_at=past),
        inbox_row("old", received_at=old, status=WorkStatus.DONE),
        outbox_row("old", community_id=town.id, created_at=old, status=WorkStatus.DONE),
    ])  # fmt: skip
    await town.grant(await town.members(2), status=GrantStatus.PENDING, due_at=past)
    await town.grant([await town.member()], status=GrantStatus.BLOCKED, remedy=Remedy.CREATOR, actual=Actual.UNKNOWN, due_at=past)
    await town.grant([await town.member()], wanted=False, status=GrantStatus.BLOCKED, remedy=Remedy.CREATOR, due_at=past)
    one, other = await town.members(2)
    async with database.transaction() as session:
        space = (await session.exec(select(SpaceRow))).one()
        space.invite_link, space.invite_link_set_at = "https://door.example/abc", old
        stuck = (await session.exec(select(GrantRow).where(~col(GrantRow.wanted)))).one()
    await town.store([
        OwnerTaskRow(id=OwnerTaskId("t"), community_id=town.id, grant_id=stuck.id, why="x", opened_at=old, due_at=past, remind_at=past),
        AccountChangeRow(id=ChangeId("c"), community_id=town.id, member_id=one, platform=PLATFORM, old_id=AccountId(one),
                         new_id=AccountId(other), at=old),
    ])  # fmt: skip
    sweeper = Sweeper(db=database, clock=clock, ids=ids, refetch=asked, probe=probe)
    foretold = await sweeper.run(dry_run=True)
    done = await sweeper.run()
    assert foretold.counts == done.counts
    assert {what: number for (what, _), number in done.counts.items()} == {
        "sign-ins forgotten": 1, "signed-in browsers forgotten": 1, "tokens forgotten": 1, "deliveries forgotten": 1,
        "finished jobs forgotten": 1, "grants to carry out": 2, "spaces looked at again": 1,
        "owners told to renew a link": 1, "owners asked again": 1, "account changes going on": 1,
    }  # fmt: skip


async def test_a_space_that_waits_for_its_creator_is_looked_at_hourly(
    town: Town, database: Database, clock: VirtualClock, ids: Ids, asked: Asked
) -> None:
    looked: list[str] = []

    async def probe(space: object, *, cause: CauseId) -> None:
        assert cause
        looked.append(str(space))

    sweeper = Sweeper(db=database, clock=clock, ids=ids, refetch=asked, probe=probe)
    people = await town.members(2)
    await town.grant(people, status=GrantStatus.BLOCKED, remedy=Remedy.CREATOR, actual=Actual.UNKNOWN, due_at=clock.now())
    for _ in range(3):
        await sweeper.run()
    assert len(looked) == 1
    clock.advance(timedelta(hours=1))
    await sweeper.run()
    assert len(looked) == 2


async def test_whoever_has_work_that_is_due_is_woken(town: Town, sweeper: Sweeper, clock: VirtualClock) -> None:
    [due] = await town.grant([await town.member()], status=GrantStatus.PENDING, due_at=clock.now(), lane="memory:due")
    await town.grant([await town.member()], status=GrantStatus.PENDING, due_at=clock.now() + SECOND, lane="memory:later")
    woken: list[Lane] = []
    town.db.on_wake(woken.append)
    await sweeper.run()
    assert woken == ["memory:due"], due


async def test_each_community_is_counted_for_itself(town: Town, sweeper: Sweeper, clock: VirtualClock) -> None:
    other = Town(town.db, clock.now(), "other")
    await other.build()
    await town.passes(await town.members(2), clock.now())
    await other.passes(await other.members(3), clock.now())
    report = await sweeper.run()
    assert report.counts == {("passes ended", "town"): 2, ("passes ended", "other"): 3}
    assert EntitlementState.ENDED in set((await states(town.db)).values())
