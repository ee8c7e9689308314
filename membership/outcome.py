"""What came of one attempt at a grant, as a value. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.backoff import MAX_ATTEMPTS, backoff
from core.errors import MemberUnreachable, PermanentError, RateLimited, Remedy, TransientError
from storage.grants import Actual, GrantRow, GrantStatus

OPERATOR_TROUBLE = timedelta(minutes=5)
"""How often to try again what only the operator can mend (a refused token, say): never given up, and it counts as no attempt."""
INVITE_LASTS = timedelta(days=7)
"""How long after the end of what was paid for an invite made before may still bring somebody in, with the role it carries."""
STAYS_OUT = "Their invite cannot be taken back; it runs out by itself."
LOOKS_EVERY = timedelta(minutes=1)
"""The shortest pause between two looks for somebody whose invite is still out."""


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
    invited: bool = False
    """An invite is out, though it may have no address."""
    answer: str = ""
    carried: bool = False
    """They are outside, and an invite that is out carries the role: what they come in with is ours."""
    silent: bool = False
    """The platform gave no answer, which has nothing to do with who it was about."""


def done(actual: Actual, answer: str = "", *, carried: bool = False) -> Outcome:
    """The platform said so."""
    return Outcome(GrantStatus.DONE, actual, answer=answer, carried=carried)


def blocked(error: PermanentError, invite_url: str = "", *, carried: bool = False, invited: bool = False) -> Outcome:
    """Somebody must act first."""
    return Outcome(
        GrantStatus.BLOCKED, error=str(error), error_code=error.code, remedy=error.remedy, invite_url=invite_url, carried=carried,
        invited=invited or bool(invite_url),
    )  # fmt: skip


def overtaken(refusal: Outcome, grant: GrantRow, now: datetime) -> Outcome:
    """What was refused was found in order while we waited for the answer: nobody has anything to mend, so it is tried once more."""
    return replace(refusal, status=GrantStatus.PENDING, due_at=now, attempts=grant.attempts, remedy=None)


def watched(grant: GrantRow, answer: str, why: str, now: datetime, unit: float) -> Outcome:
    """Nobody has it, and an invite that carries it stays out, ``why`` says the reason: take both back again until it has run out.

    Otherwise whoever comes by it unseen would keep for good what nobody pays for.
    """
    runs_out, attempts = grant.changed_at + INVITE_LASTS, grant.attempts + 1
    if now >= runs_out:
        return done(Actual.REVOKED, answer)
    due = min(now + max(backoff(attempts, unit), LOOKS_EVERY), runs_out)
    return Outcome(GrantStatus.PENDING, Actual.REVOKED, due, attempts, error=why, answer=answer, carried=True)


def failed(error: Exception, grant: GrantRow, now: datetime, unit: float) -> Outcome:
    """Decide by the error's class; ``unit`` in [0, 1) is the jitter."""
    match error:
        case RateLimited():
            due = now + timedelta(seconds=error.retry_after)
            return Outcome(GrantStatus.PENDING, due_at=due, attempts=grant.attempts, error=str(error), error_code=error.code)
        case MemberUnreachable() if not grant.wanted:
            out = grant.attempted and grant.invited_at is not None
            return watched(grant, error.code, STAYS_OUT, now, unit) if out else done(Actual.REVOKED, error.code)
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
    silent = isinstance(error, TransientError)
    return Outcome(GrantStatus.PENDING, due_at=now + backoff(attempts, unit), attempts=attempts, error=why, silent=silent)
