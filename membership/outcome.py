"""What came of one attempt at a grant, as a value. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.backoff import MAX_ATTEMPTS, backoff
from core.errors import MemberUnreachable, PermanentError, RateLimited, Remedy, TransientError
from storage.grants import Actual, GrantRow, GrantStatus

OPERATOR_TROUBLE = timedelta(minutes=5)
"""How often to try again what only the operator can mend (a refused token, say): never given up, and it counts as no attempt."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a grant row goes on. ``actual`` None leaves what the platform last said."""

    status: GrantStatus
    actual: Actual | None = None
    due_at: datetime | None = None
    attempts: int = 0
    error: str = ""
    error_code: str = ""
    remedy: Remedy | None = None
    invite_url: str = ""
    answer: str = ""
    carried: bool = False
    """They are outside, and an invite that is out carries the role: what they come in with is ours."""


def done(actual: Actual, answer: str = "", *, carried: bool = False) -> Outcome:
    """The platform said so."""
    return Outcome(GrantStatus.DONE, actual, answer=answer, carried=carried)


def blocked(error: PermanentError, invite_url: str = "", *, carried: bool = False) -> Outcome:
    """Somebody must act first."""
    return Outcome(
        GrantStatus.BLOCKED, error=str(error), error_code=error.code, remedy=error.remedy, invite_url=invite_url, carried=carried
    )


def failed(error: Exception, grant: GrantRow, now: datetime, unit: float) -> Outcome:
    """Decide by the error's class; ``unit`` in [0, 1) is the jitter."""
    match error:
        case RateLimited():
            due = now + timedelta(seconds=error.retry_after)
            return Outcome(GrantStatus.PENDING, due_at=due, attempts=grant.attempts, error=str(error), error_code=error.code)
        case MemberUnreachable() if not grant.wanted:
            return done(Actual.REVOKED, error.code, carried=grant.attempted and grant.invited_at is not None)
        case PermanentError() if error.remedy is not Remedy.OPERATOR:
            return blocked(error)
        case PermanentError():
            return Outcome(
                GrantStatus.PENDING, due_at=now + OPERATOR_TROUBLE, attempts=grant.attempts, error=str(error), error_code=error.code,
                remedy=Remedy.OPERATOR,
            )  # fmt: skip
        case _:
            return _again(error, grant, now, unit)


def _again(error: Exception, grant: GrantRow, now: datetime, unit: float) -> Outcome:
    """Network trouble is tried for ever, ever more slowly: a payer outside is never given up. A bug is, after its attempts."""
    attempts = grant.attempts + 1
    why = f"{type(error).__name__}: {error}"[:500]
    if attempts >= MAX_ATTEMPTS and not isinstance(error, TransientError):
        return Outcome(GrantStatus.DEAD, attempts=attempts, error=why, remedy=Remedy.OPERATOR)
    return Outcome(GrantStatus.PENDING, due_at=now + backoff(attempts, unit), attempts=attempts, error=why)
