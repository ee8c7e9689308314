from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backoff import LONGEST, backoff
from core.breaker import trips
from core.dunning import next_notice
from core.entitlement import KNOWN_STATUSES, LEEWAY, Reason, Verdict, desired, subscription_access
from core.errors import Refusal
from core.ids import AccountId, ResourceId
from core.offer import LinkFacts, check_link
from core.payments import SubscriptionSnapshot
from core.reconcile import changes

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
GRACE = timedelta(days=5)
END = NOW + timedelta(days=10)


def snapshot(status: str) -> SubscriptionSnapshot:
    return SubscriptionSnapshot(
        "sub_1", status, "cus_1", "order", ("price_1",), NOW, END, None, None, cancel_at_period_end=False, ended_at=None
    )


def access(status: str, *, failed: datetime | None = None, refunded: datetime | None = None, now: datetime = NOW) -> tuple[Verdict, object]:
    found = subscription_access(snapshot(status), past_due_since=failed, grace=GRACE, refunded_until=refunded, now=now)
    return found.verdict, found.until


@pytest.mark.parametrize("status", ["active", "trialing"])
def test_a_running_subscription_opens_until_its_period_ends_and_some_leeway(status: str) -> None:
    assert access(status) == (Verdict.OPEN, END + LEEWAY)


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "canceled", "unpaid", "paused"])
def test_a_subscription_that_is_not_paid_for_opens_nothing(status: str) -> None:
    assert access(status) == (Verdict.CLOSED, None)


def test_a_failed_renewal_keeps_access_for_the_grace_and_not_a_moment_longer() -> None:
    assert access("past_due", failed=NOW) == (Verdict.OPEN, NOW + GRACE)
    assert access("past_due", failed=NOW, now=NOW + GRACE - timedelta(seconds=1))[0] is Verdict.OPEN
    assert access("past_due", failed=NOW, now=NOW + GRACE)[0] is Verdict.CLOSED


@given(st.text(max_size=12).filter(lambda word: word not in KNOWN_STATUSES))
def test_a_status_nobody_knows_changes_nothing(status: str) -> None:
    assert access(status) == (Verdict.KEEP, None)


def test_a_period_given_back_opens_nothing_and_the_next_one_does() -> None:
    assert access("active", refunded=END)[0] is Verdict.CLOSED
    assert access("active", refunded=END - timedelta(seconds=1))[0] is Verdict.OPEN


RESOURCES = st.sampled_from([ResourceId("gold"), ResourceId("silver"), ResourceId("lounge")])
REASONS = st.lists(st.builds(Reason, st.text("abc", min_size=1, max_size=2), st.frozensets(RESOURCES)), max_size=5)


@given(REASONS)
def test_what_is_desired_is_the_union_over_all_reasons(reasons: list[Reason]) -> None:
    union = set().union(*(reason.resources for reason in reasons)) if reasons else set()
    assert set(desired(reasons)) == union


@given(REASONS, st.data())
def test_losing_one_reason_keeps_what_another_opens(reasons: list[Reason], data: st.DataObject) -> None:
    if reasons:
        gone = data.draw(st.integers(0, len(reasons) - 1))
        rest = reasons[:gone] + reasons[gone + 1 :]
        kept = {resource for reason in rest for resource in reason.resources}
        assert kept <= set(desired(rest))
        assert set(desired(reasons)) - set(desired(rest)) <= reasons[gone].resources


KEYS = st.tuples(st.sampled_from([AccountId("a"), AccountId("b")]), RESOURCES)


@given(st.sets(KEYS), st.dictionaries(KEYS, st.booleans()))
def test_carrying_the_changes_out_reaches_what_is_wanted_and_then_nothing_is_left(
    wanted: set[tuple[AccountId, ResourceId]], current: dict[tuple[AccountId, ResourceId], bool]
) -> None:
    found = changes(wanted, current)
    after = current | {(change.account, change.resource): change.wanted for change in found}
    assert {key for key, on in after.items() if on} == wanted
    assert changes(wanted, after) == []
    assert all(change.wanted or (change.account, change.resource) in current for change in found)
    assert [change.wanted for change in found] == sorted((change.wanted for change in found), reverse=True)


def test_reminders_come_at_once_after_a_day_after_three_and_on_the_last_day() -> None:
    moments = [next_notice(NOW, timedelta(days=7), sent) for sent in range(5)]
    assert moments == [NOW, *(NOW + timedelta(days=days) for days in (1, 3, 6)), None]


def test_a_short_grace_has_fewer_reminders() -> None:
    assert [next_notice(NOW, timedelta(days=4), sent) for sent in range(4)] == [NOW, *(NOW + timedelta(days=days) for days in (1, 3)), None]
    assert [next_notice(NOW, timedelta(days=2), sent) for sent in range(3)] == [NOW, NOW + timedelta(days=1), None]
    assert [next_notice(NOW, timedelta(days=1), sent) for sent in range(2)] == [NOW, None]
    assert [next_notice(NOW, timedelta(0), sent) for sent in range(2)] == [NOW, None]


@given(st.integers(0, 21 * 24), st.integers(0, 5))
def test_reminders_are_in_order_each_before_access_ends_and_never_two_at_once(hours: int, sent: int) -> None:
    moments = [next_notice(NOW, timedelta(hours=hours), number) for number in range(sent + 2)]
    known = [moment for moment in moments if moment is not None]
    assert known == sorted(set(known))
    assert known == moments[: len(known)]
    assert all(moment == NOW or moment <= NOW + timedelta(hours=hours) - timedelta(days=1) for moment in known)


@pytest.mark.parametrize(
    ("would", "held", "stops"), [(20, 20, False), (21, 21, True), (21, 400, True), (50, 1000, False), (51, 1000, True)]
)
def test_more_than_twenty_and_more_than_a_twentieth_stops_the_sweep(would: int, held: int, stops: bool) -> None:  # noqa: FBT001
    assert bool(trips(would, held, timedelta(0))) is stops


@pytest.mark.parametrize(("seconds", "word"), [(61, "ahead of"), (-61, "behind")])
def test_a_clock_that_is_off_stops_the_sweep_and_says_which_way(seconds: int, word: str) -> None:
    assert word in trips(1, 100, timedelta(seconds=seconds))
    assert trips(1, 100, timedelta(seconds=60)) == ""


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_pause_grows_and_is_never_longer_than_an_hour(attempts: int, unit: float) -> None:
    pause = backoff(attempts, unit)
    assert timedelta(0) < pause <= LONGEST
    assert backoff(attempts + 1, unit) >= pause


def link(**changed: object) -> LinkFacts:
    facts: dict[str, object] = {
        "revoked": False, "expires_at": None, "max_uses": None, "uses": 0, "plan_name": "Gold", "plan_active": True, "problem": "",
        "community_name": "Ann's Kitchen",
    }  # fmt: skip
    return LinkFacts(**{**facts, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "code", "says"),
    [
        ({"revoked": True}, "invite_revoked", "Ask in Ann's Kitchen"),
        ({"expires_at": NOW}, "invite_expired", "Ask in Ann's Kitchen"),
        ({"max_uses": 2, "uses": 2}, "invite_used_up", "Ask in Ann's Kitchen"),
        ({"plan_active": False}, "plan_archived", "Ask in Ann's Kitchen"),
        ({"problem": "the role is gone"}, "plan_broken", "try again later"),
    ],
)
def test_a_link_that_does_not_sell_says_why_and_what_to_do(changed: dict[str, object], code: str, says: str) -> None:
    with pytest.raises(Refusal, match=says) as refused:
        check_link(link(**changed), NOW)
    assert refused.value.code == code


def test_a_link_sells_up_to_its_last_use_and_its_last_moment() -> None:
    check_link(link(max_uses=2, uses=1, expires_at=NOW + timedelta(seconds=1)), NOW)
