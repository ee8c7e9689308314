"""Many subscriptions looked at again: what is lost by it is weighed before the first write."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from billing.several import Several
from billing.subscription import Subscriptions
from core.breaker import trips
from core.clock import Clock
from core.entitlement import Verdict
from core.errors import ExternalError, PermanentError
from core.ids import CauseId, CommunityId, EntitlementId, Ids, PlanId
from core.payments import PaymentGateways, SubscriptionSnapshot
from storage import communities, entitlements, overdue, subscriptions
from storage.audit import Trail
from storage.communities import CommunityRow, keeps_refunded
from storage.database import Database
from storage.entitlements import EntitlementState, SourceKind
from storage.overdue import SubscriptionRef

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """What the processor said of a subscription, and what that would change of the entitlement that is open now."""

    ref: SubscriptionRef
    asked_at: datetime
    snapshot: SubscriptionSnapshot
    entitlement: EntitlementId | None = None
    becomes: PlanId | None = None
    known: bool = False
    """Its end was known before we asked: it passes whatever else the processor says."""

    @property
    def loses(self) -> bool:
        """Whether something that is open now would not be."""
        return self.entitlement is not None and not self.known


@dataclass(slots=True)
class Settled:
    """What came of one community. ``unanswered`` are to be asked about again, ``failed`` met a fault of ours."""

    counts: Counter[str] = field(default_factory=Counter)
    unanswered: set[SubscriptionRef] = field(default_factory=set)
    failed: list[SubscriptionRef] = field(default_factory=list)


class Refetch:
    """Makes our rows of a community's subscriptions equal the processor's, unless its answers look more like a fault than the truth."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, subscriptions: Subscriptions) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._subscriptions = subscriptions

    async def settle(
        self,
        community: CommunityId,
        refs: Iterable[SubscriptionRef],
        *,
        cause: CauseId,
        dry_run: bool,
        refunded: Mapping[SubscriptionRef, str] = MappingProxyType({}),
    ) -> Settled:
        """Ask about ``refs`` and write the answers; what would take access away waits when there is too much of it.

        In a community a person has told to go on, everything it has is looked at once and nothing waits. ``refunded`` names the invoice
        given back in full of some: what ends by that is weighed here, and ended by whoever looks at the payment.
        """
        async with self._db.reading() as session:
            row = await session.get_one(CommunityRow, community)
            confirmed = row.confirmed_at is not None
            asked = sorted({*refs, *(await overdue.live(session, community) if confirmed else ())})
        settled = Settled()
        looks = await self._ask(asked, refunded, settled)
        losing = [look for look in looks if look.loses]
        reason = ""
        if losing and not confirmed:
            try:
                reason = await self._reason(community, row, losing)
            except ExternalError as error:  # without their time, nothing that takes away can be weighed
                _log.info("nothing ends in %s for now: %s", community, error)
                settled.unanswered.update(look.ref for look in losing)
                looks, losing = [look for look in looks if not look.loses], []
        settled.counts["asked"] = len(asked)
        settled.counts["unanswered"] = len(settled.unanswered)
        settled.counts["held back" if reason else "changed"] = len(losing)
        settled.counts["ended as known"] = sum(look.known for look in looks)
        if not dry_run:
            settled.failed += await self._write(community, [look for look in looks if not (reason and look.loses)], reason, cause)
            if confirmed and not settled.unanswered:
                await self._resume(community, cause)
        return settled

    async def _ask(self, refs: Sequence[SubscriptionRef], refunded: Mapping[SubscriptionRef, str], settled: Settled) -> list[Look]:
        """Fetch each afresh. No error ends anything."""
        looks: list[Look] = []

        async def look(ref: SubscriptionRef) -> None:
            looks.append(await self._look(ref, refunded.get(ref, "")))

        asking = Several[SubscriptionRef]()
        await asking.each(refs, look)
        settled.unanswered.update(asking.unanswered)
        settled.failed += asking.failed
        return sorted(looks, key=lambda look: look.ref)

    async def _look(self, ref: SubscriptionRef, refunded: str) -> Look:
        asked_at = self._clock.now()
        snapshot = await (await self._gateways.of(ref.account)).subscription(ref.external_id)
        async with self._db.reading() as session:
            row = await subscriptions.by_stripe_id(session, ref.account, ref.external_id)
            held = await entitlements.by_source(session, SourceKind.SUBSCRIPTION, row.id) if row else None
            if row is None or held is None or held.state != EntitlementState.ACTIVE:
                return Look(ref, asked_at, snapshot)
            access, plan = await self._subscriptions.foresee(session, row, snapshot, asked_at)
            given_back = refunded != "" and refunded == snapshot.latest_invoice and not await keeps_refunded(session, row.community_id)
            ends = access.verdict is Verdict.CLOSED or given_back
            if not ends and (plan == held.plan_id or access.verdict is Verdict.KEEP):
                return Look(ref, asked_at, snapshot)
            known = ends and row.cancel_at is not None and row.cancel_at <= asked_at
            return Look(ref, asked_at, snapshot, held.id, None if ends else plan, known)

    async def _reason(self, community: CommunityId, row: CommunityRow, losing: Sequence[Look]) -> str:
        """Return why what would be lost must wait; empty when it need not."""
        if row.stopped_at is not None:
            return row.stopped_reason
        async with self._db.reading() as session:
            become = {look.entitlement: look.becomes for look in losing if look.entitlement is not None}
            lost, held = await overdue.lost(session, community, become), await overdue.held(session, community)
        return trips(lost, held, await self._skew(losing))

    async def _skew(self, losing: Sequence[Look]) -> timedelta:
        """Return how far our clock is off by any of the accounts; one that will not say so for good has still answered about each."""
        skews = [timedelta(0)]
        for account in sorted({look.ref.account for look in losing}):
            try:
                skews.append(await (await self._gateways.of(account)).skew())
            except PermanentError as error:
                _log.warning("account %s does not tell its time: %s", account, error)
        return max(skews, key=abs)

    async def _write(self, community: CommunityId, looks: Sequence[Look], reason: str, cause: CauseId) -> list[SubscriptionRef]:
        """Write what was said; returns what could not be written."""
        if reason:
            async with self._db.transaction() as session:
                await communities.stop(session, community, reason, Trail(self._ids, self._clock.now(), cause))
        failed: list[SubscriptionRef] = []
        for look in looks:
            try:
                async with self._db.transaction() as session:
                    await self._subscriptions.apply(session, look.ref.account, look.snapshot, Trail(self._ids, look.asked_at, cause))
            except Exception:  # noqa: BLE001 - one that is poisoned must not hold up the others
                _log.exception("what was said of %s could not be written", look.ref)
                failed.append(look.ref)
        return failed

    async def _resume(self, community: CommunityId, cause: CauseId) -> None:
        async with self._db.transaction() as session:
            await communities.resume(session, community, Trail(self._ids, self._clock.now(), cause))
