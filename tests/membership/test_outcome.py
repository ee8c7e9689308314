from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backoff import LONGEST, MAX_ATTEMPTS
from core.errors import (
    InstallationRevoked,
    MemberUnreachable,
    PermanentError,
    PermissionMissing,
    RateLimited,
    Remedy,
    ResourceMissing,
    TransientError,
)
from core.ids import AccountId, CauseId, CommunityId, GrantId, MemberId, ResourceId
from membership.outcome import failed
from sandbox.clock import DEFAULT_START
from storage.grants import Actual, GrantRow, GrantStatus
from tests.membership.house import LANE

ERRORS = [
    TransientError("x"),
    RateLimited("x", retry_after=3),
    PermanentError("x"),
    MemberUnreachable("x"),
    PermissionMissing("x"),
    ResourceMissing("x"),
    InstallationRevoked("x"),
    KeyError("x"),
]


def grant(*, wanted: bool, attempts: int) -> GrantRow:
    return GrantRow(
        id=GrantId("g"), community_id=CommunityId("c"), member_id=MemberId("m"), account_id=AccountId("a"), resource_id=ResourceId("r"),
        lane=LANE, wanted=wanted, attempts=attempts, due_at=DEFAULT_START, changed_at=DEFAULT_START, cause_id=CauseId("why"),
    )  # fmt: skip


@given(st.sampled_from(ERRORS), st.booleans(), st.integers(0, 1000), st.floats(0, 1, exclude_max=True))
def test_no_failure_is_ever_called_given_and_each_says_who_or_when(error: Exception, wanted: bool, attempts: int, unit: float) -> None:  # noqa: FBT001
    outcome = failed(error, grant(wanted=wanted, attempts=attempts), DEFAULT_START, unit)
    assert outcome.actual is not Actual.GRANTED
    match outcome.status:
        case GrantStatus.PENDING:
            assert outcome.due_at is not None
            assert timedelta() < outcome.due_at - DEFAULT_START <= LONGEST
        case GrantStatus.BLOCKED:
            assert outcome.remedy in {Remedy.MEMBER, Remedy.CREATOR}
        case GrantStatus.DONE:
            assert not wanted, "a gift that failed is never done"
            assert isinstance(error, MemberUnreachable)
        case GrantStatus.DEAD:
            assert isinstance(error, KeyError), "only our own fault is given up"


@given(st.sampled_from(ERRORS), st.booleans())
def test_only_what_failed_by_itself_counts_as_an_attempt(error: Exception, wanted: bool) -> None:  # noqa: FBT001
    outcome = failed(error, grant(wanted=wanted, attempts=4), DEFAULT_START, 0.5)
    if outcome.status is GrantStatus.PENDING:
        counted = type(error) in {TransientError, KeyError}
        assert outcome.attempts == (5 if counted else 4)


@pytest.mark.parametrize(("error", "gives_up"), [(KeyError("x"), True), (TransientError("x"), False), (PermanentError("x"), False)])
def test_only_our_own_fault_is_given_up(error: Exception, *, gives_up: bool) -> None:
    outcome = failed(error, grant(wanted=True, attempts=MAX_ATTEMPTS - 1), DEFAULT_START, 0.5)
    assert (outcome.status is GrantStatus.DEAD) == gives_up
