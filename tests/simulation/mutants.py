"""Bugs, planted one at a time: what the histories must find, or they would not find it in the product either.

Each mutant says in its name what is wrong, and changes the running program in one place.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from billing.stripe.caller import Caller
from billing.stripe.gateway import StripeGateway
from core.entitlement import Access, Verdict, subscription_access
from core.errors import PermissionMissing, TransientError
from membership import outcome
from storage import entitlements, ledger
from storage.grants import GrantStatus
from storage.inbox import GroupCommit
from tests.simulation.wires import WiredAdapter

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


async def _nothing(*_given: object, **_named: object) -> None:
    """Do nothing."""


def drops_the_fencing_check(patch: Patch) -> None:
    """Whoever lost a lane goes on recording what it did there."""
    patch.setattr("storage.lanes.fence", _nothing)


def applies_whatever_comes_first(patch: Patch) -> None:
    """An event is judged by how the object was when first seen: a second look is never taken."""
    seen: dict[tuple[int, str], Any] = {}
    fetch = StripeGateway.subscription

    async def stale(self: StripeGateway, external_id: str) -> object:
        key = id(self), external_id
        if key not in seen:
            seen[key] = await fetch(self, external_id)
        return seen[key]

    patch.setattr(StripeGateway, "subscription", stale)


def ends_all_on_the_first_of_two(patch: Patch) -> None:
    """Of two reasons to hold something, the end of one takes it away."""
    reasons = entitlements.reasons

    async def one_only(session: Any, member: Any) -> list[Any]:  # noqa: ANN401
        return (await reasons(session, member))[:1]

    patch.setattr(entitlements, "reasons", one_only)


def marks_revoked_before_the_call(patch: Patch) -> None:
    """A role that could not be taken is written down as taken."""
    revoke = WiredAdapter.revoke

    async def on_paper(self: WiredAdapter, *given: Any, **named: Any) -> None:  # noqa: ANN401
        try:
            await revoke(self, *given, **named)
        except (PermissionMissing, TransientError):
            return

    patch.setattr(WiredAdapter, "revoke", on_paper)


def reminds_on_every_retry(patch: Patch) -> None:
    """Each time the processor says again that a payment failed, it is taken for a new failure, spoken of and forgiven again."""
    patch.setattr("billing.subscription._failing_since", lambda _row, snapshot, at: at if snapshot.status == "past_due" else None)


def ignores_that_a_delivery_is_a_duplicate(patch: Patch) -> None:
    """Each delivery of an event counts as one of its own, and of each something is opened."""
    book = ledger.book

    async def booked_again(session: Any, row: Any) -> bool:  # noqa: ANN401
        row.cause = f"{row.cause}:{row.id}"
        return await book(session, row)

    patch.setattr("billing.ledger.book", booked_again)


def never_ends_anything(patch: Patch) -> None:
    """A subscription that is over still opens its plan."""
    _decides(patch, lambda access, snapshot: Access(Verdict.OPEN, snapshot.period_end) if access.verdict is Verdict.CLOSED else access)


def reads_a_trial_or_a_late_payment_as_the_end(patch: Patch) -> None:
    """A renewal that failed once locks the payer out at once."""
    _decides(patch, lambda access, snapshot: Access(Verdict.CLOSED) if snapshot.status == "past_due" else access)


def keeps_open_what_was_refunded(patch: Patch) -> None:
    """The money is back, and so is nothing else."""

    def blind(snapshot: Any, **named: Any) -> Access:  # noqa: ANN401
        return subscription_access(snapshot, **{**named, "refunded_until": None})

    patch.setattr("billing.subscription.subscription_access", blind)


def _decides(patch: Patch, change: Callable[[Access, Any], Access]) -> None:
    def wrong(snapshot: Any, **named: Any) -> Access:  # noqa: ANN401
        return change(subscription_access(snapshot, **named), snapshot)

    patch.setattr("billing.subscription.subscription_access", wrong)


def never_catches_up(patch: Patch) -> None:
    """What was lost on the way stays lost."""
    patch.setattr("billing.catchup.CatchUp._account", _nothing)


def gives_up_at_the_first_failure(patch: Patch) -> None:
    """A platform that does not answer once is never asked again."""
    patch.setattr(outcome, "_again", lambda error, _grant, _now, _unit: outcome.Outcome(GrantStatus.DONE, error=str(error)))


def forgets_the_key_that_makes_a_call_happen_once(patch: Patch) -> None:
    """A checkout asked for again is another checkout."""
    options = Caller._options
    patch.setattr(Caller, "_options", lambda self, api_key, _key: options(self, api_key, ""))


def takes_what_it_did_not_give(patch: Patch) -> None:
    """What somebody had before they paid counts as given by us."""

    async def sees_nothing(self: WiredAdapter, space: Any, user: Any) -> Any:  # noqa: ANN401
        return frozenset() if user in self.world.place(space).members else None

    patch.setattr(WiredAdapter, "holds", sees_nothing)


def forgets_whoever_comes_back(patch: Patch) -> None:
    """Somebody who left and rejoins gets nothing."""
    patch.setattr("membership.member.Members.joined", _nothing)
    patch.setattr("membership.drift.Drift.look", _true)


async def _true(*_given: object, **_named: object) -> bool:
    return True


def acknowledges_before_it_is_stored(patch: Patch) -> None:
    """A delivery is answered, then stored, if the process lasts until then."""

    async def hastily(self: GroupCommit, row: Any) -> bool:  # noqa: ANN401
        self._waiting.append((row, asyncio.get_running_loop().create_future()))
        asyncio.get_running_loop().call_soon(self._arrived.set)
        return True

    patch.setattr(GroupCommit, "record", hastily)


def calls_a_row_done_whatever_came_of_it(patch: Patch) -> None:
    """An event whose object could not be fetched counts as worked off."""
    patch.setattr("billing.inbox._retry", lambda _error, _attempts, _unit: (timedelta(days=3650), False))


MUTANTS: tuple[Mutant, ...] = (
    drops_the_fencing_check,
    applies_whatever_comes_first,
    ends_all_on_the_first_of_two,
    marks_revoked_before_the_call,
    reminds_on_every_retry,
    ignores_that_a_delivery_is_a_duplicate,
    never_ends_anything,
    reads_a_trial_or_a_late_payment_as_the_end,
    keeps_open_what_was_refunded,
    never_catches_up,
    gives_up_at_the_first_failure,
    forgets_the_key_that_makes_a_call_happen_once,
    takes_what_it_did_not_give,
    forgets_whoever_comes_back,
    acknowledges_before_it_is_stored,
    calls_a_row_done_whatever_came_of_it,
)
"""All of them, in the order they are looked for."""
