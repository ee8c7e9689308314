"""What stands between each failure and its harm, and how to take it away: every test of a failure must then be red.

Each entry names the number in the file's name. None is for the product: they are planted by ``--without-guards`` alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
from sqlmodel import col

from billing.stripe.caller import Keyring
from billing.stripe.gateway import StripeGateway
from billing.stripe.signature import verify
from billing.webhook import StripeWebhooks
from core import entitlement
from core.entitlement import Access, Verdict, subscription_access
from core.errors import ExternalError, KeyRefused, PermissionMissing, Refusal
from core.payments import PaymentSnapshot
from membership import outcome
from storage import grants, states
from storage.grants import GrantStatus
from storage.inbox import Busy, GroupCommit
from storage.sweeping import Tally
from tests.simulation import mutants
from tests.simulation.wires import WiredAdapter

Patch = pytest.MonkeyPatch
Removal = Callable[[Patch], None]


class _Nothing(Exception):  # noqa: N818
    """Is never raised: stands in for an error that nobody is to know."""


async def _nothing(*_given: object, **_named: object) -> None:
    return


def _is(target: str, value: object) -> Removal:
    return lambda patch: patch.setattr(target, value)


def _does_nothing(target: str) -> Removal:
    return _is(target, _nothing)


def _of_two_ends_all_and_says_nothing(patch: Patch) -> None:
    mutants.ends_all_on_the_first_of_two(patch)
    _does_nothing("billing.subscription.tell_doubles")(patch)


async def _no_lanes(*_given: object) -> set[str]:
    return set()


def _every_delivery_is_new(patch: Patch) -> None:
    row = StripeWebhooks._row

    def fresh(self: StripeWebhooks, *given: Any) -> Any:  # noqa: ANN401
        made = row(self, *given)
        made.event_id = made.id
        return made

    patch.setattr(StripeWebhooks, "_row", fresh)


def _keeps_no_bytes(patch: Patch) -> None:
    row = StripeWebhooks._row

    def empty(self: StripeWebhooks, *given: Any) -> Any:  # noqa: ANN401
        made = row(self, *given)
        made.payload = b"{}"
        return made

    patch.setattr(StripeWebhooks, "_row", empty)


def _tries_no_more(patch: Patch) -> None:
    patch.setattr(outcome, "_again", lambda error, _grant, _now, _unit: outcome.Outcome(GrantStatus.DEAD, error=str(error)))


def _a_refusal_is_an_end(patch: Patch) -> None:
    fetch, last = StripeGateway.subscription, dict[str, Any]()

    async def ended(self: StripeGateway, external_id: str) -> Any:  # noqa: ANN401
        try:
            last[external_id] = await fetch(self, external_id)
        except KeyRefused:
            return replace(last[external_id], status="canceled")
        return last[external_id]

    patch.setattr(StripeGateway, "subscription", ended)


def _acknowledges_what_is_not_stored(patch: Patch) -> None:
    record = GroupCommit.record

    async def shrugs(self: GroupCommit, row: Any) -> bool:  # noqa: ANN401
        try:
            return await record(self, row)
        except Busy:
            return False

    patch.setattr(GroupCommit, "record", shrugs)


def _refuses_owners(patch: Patch) -> None:
    grant = WiredAdapter.grant

    async def refuses(self: WiredAdapter, resource: Any, user: Any, *, reason: str) -> None:  # noqa: ANN401
        if user in self.world.place(resource.space).managers:
            raise PermissionMissing("they may more than we")
        await grant(self, resource, user, reason=reason)

    patch.setattr(WiredAdapter, "grant", refuses)


def _counts_in_days(patch: Patch) -> None:
    def wrong(snapshot: Any, **named: Any) -> Access:  # noqa: ANN401
        access = subscription_access(snapshot, **named)
        return Access(access.verdict, snapshot.period_start + timedelta(days=30)) if access.verdict is Verdict.OPEN else access

    patch.setattr("billing.subscription.subscription_access", wrong)


def _takes_first(patch: Patch) -> None:
    losses_first = grants._TASKS.where(*grants._ON_LANE, grants._NOW).order_by(col(grants.GrantRow.wanted)).limit(grants._LIMIT)
    patch.setattr(grants, "_DUE_OUTSIDE", (losses_first,))


def _codes_last_for_ever(patch: Patch) -> None:
    patch.setattr(states, "take", states.find)


def _takes_in_everything(patch: Patch) -> None:
    begin = GroupCommit.__init__

    def boundless(self: GroupCommit, db: Any, **_named: Any) -> None:  # noqa: ANN401
        begin(self, db, capacity=1_000_000)

    patch.setattr(GroupCommit, "__init__", boundless)


def _knows_any_word(patch: Patch) -> None:
    patch.setattr(entitlement, "KNOWN_STATUSES", entitlement.KNOWN_STATUSES | {"hibernating"})


def _trials_for_ever(patch: Patch) -> None:
    async def always(_session: object, _order: object, plan: Any, _trail: object) -> int:  # noqa: ANN401
        return int(plan.trial_days)

    patch.setattr("billing.trial.take", always)


def _tells_of_no_trouble(patch: Patch) -> None:
    for place in ("recording", "unblock"):
        patch.setattr(f"membership.{place}.broken", _nothing)


async def _tally(*_given: object) -> Tally:
    return Tally()


async def _no_skew(*_given: object) -> timedelta:
    return timedelta(0)


def _asks_who_stands_higher(patch: Patch) -> None:
    patch.setattr("adapters.discord.roles.refusal", lambda ranks, role: Refusal("too_high", f"{role} of {len(ranks.roles)}"))


def _one_secret(patch: Patch) -> None:
    patch.setattr("billing.webhook.verify", lambda body, signature, secrets, now: verify(body, signature, secrets[:1], now))


def _only_one_way(patch: Patch) -> None:
    for name in ("MemberUnreachable", "PermanentError"):
        patch.setattr(f"membership.notice.{name}", _Nothing)


def _never_looks_back(patch: Patch) -> None:
    async def content(_self: object, _resource: object, grants: Any, revokes: Any, *_more: object) -> dict[Any, None]:  # noqa: ANN401
        return dict.fromkeys(grants | revokes, None)

    patch.setattr("adapters.slack.user_groups.UserGroups._compare", content)


def _sums_every_amount(patch: Patch) -> None:
    patch.setattr("core.money.MINIMUM", {})


GUARDS: Mapping[int, Removal] = MappingProxyType(
    {
        1: mutants.never_catches_up,
        2: _every_delivery_is_new,
        3: mutants.applies_whatever_comes_first,
        4: _does_nothing("billing.subscription.Subscriptions._first"),
        5: _is("bots.dispatcher.due_lanes", _no_lanes),
        6: mutants.forgets_the_key_that_makes_a_call_happen_once,
        7: _tries_no_more,
        8: _is("membership.outcome.RateLimited", _Nothing),
        9: _tries_no_more,
        10: _does_nothing("membership.member.Members.joined"),
        11: _is("membership.drift.Drift.look", _nothing),
        12: _does_nothing("membership.seat.add_reconcile"),
        13: _tells_of_no_trouble,
        14: _does_nothing("membership.unblock.Unblocker.probe"),
        15: _does_nothing("membership.community.Communities.space_removed"),
        16: _is("membership.drift.InstallationRevoked", ExternalError),
        17: _refuses_owners,
        18: _asks_who_stands_higher,
        19: _is("membership.outcome.OPERATOR_TROUBLE", timedelta(seconds=30)),
        20: _a_refusal_is_an_end,
        21: lambda patch: patch.setattr(Keyring, "in_order", lambda self: self._keys[:1]),
        22: _one_secret,
        23: _is("billing.refetch.Refetch._skew", _no_skew),
        24: _counts_in_days,
        25: _is("storage.sweeping.expire_orders", _tally),
        26: lambda patch: patch.setattr(PaymentSnapshot, "given_back", property(lambda _self: False)),
        27: lambda patch: patch.setattr(PaymentSnapshot, "given_back", property(lambda self: self.refunded.minor > 0)),
        28: _does_nothing("billing.dispute.Disputes.look"),
        29: _does_nothing("billing.subscription.plan_of"),
        30: _takes_first,
        31: _of_two_ends_all_and_says_nothing,
        32: _is("membership.reconcile.changes", lambda _wanted, _current: []),
        33: _codes_last_for_ever,
        34: _does_nothing("billing.gift_settling.take_back"),
        35: _trials_for_ever,
        38: _acknowledges_what_is_not_stored,
        39: _acknowledges_what_is_not_stored,
        40: _is("membership.restraint.Restraint.check", lambda _self: None),
        41: mutants.drops_the_fencing_check,
        42: _is("bots.dispatcher.due_lanes", _no_lanes),
        43: _keeps_no_bytes,
        44: _takes_in_everything,
        45: _is("billing.inbox._is_final", lambda _error, _attempts: False),
        46: _knows_any_word,
        47: _is("billing.refetch.trips", lambda _would, _held, _skew: ""),
        48: lambda patch: patch.setattr("adapters.discord.supervisor.LookupError", _Nothing, raising=False),
        49: _is("billing.checkout.check_bound", lambda _facts, _who: None),
        50: _never_looks_back,
        51: _only_one_way,
        52: _is("billing.webhook._set_aside", lambda _row, _why: None),
        53: _sums_every_amount,
    }
)
"""By the number of the failure."""
