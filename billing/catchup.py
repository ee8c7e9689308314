"""Make our rows equal the processor's, whatever was lost on the way: at start, and again and again."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from billing.comparison import Differences, compare
from billing.news import News
from billing.order import Orders
from billing.refetch import Refetch, Settled
from billing.several import Several
from billing.subscription import Subscriptions
from billing.waiting import WaitingOrders
from core.causality import Origin, new_cause
from core.clock import Clock
from core.errors import ExternalError, PermanentError
from core.ids import CauseId, CommunityId, Ids, StripeAccountId
from core.payments import AccountSnapshot, PaymentGateway, PaymentGateways
from storage import comparing, overdue, stripe_accounts
from storage.database import Database
from storage.overdue import SubscriptionRef
from storage.stripe_accounts import StripeAccountRow

REACH = timedelta(days=30) - timedelta(hours=1)
"""Stripe lists events of the last 30 days (docs.stripe.com/api/events)."""
OVERLAP = timedelta(hours=1)
"""How far behind the cursor each run reads again: an event may be listed later than it was made."""
COMPARE_EVERY = timedelta(days=1)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class CatchUpReport:
    """What a run found and did. ``counts`` is by what it is and whose (a community, or an account of the processor)."""

    dry_run: bool = False
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    def count(self, what: str, whose: str, number: int = 1) -> None:
        """Add to a count."""
        if number:
            self.counts[what, whose] += number

    def __str__(self) -> str:
        found = [f"{number:>7}  {what}  ({whose})" for (what, whose), number in sorted(self.counts.items())]
        return "\n".join([*found, *self.troubles]) or "Nothing was missed."


class CatchUp:
    """Asks the processor what we may have missed: open orders, undelivered events, and once a day every subscription."""

    def __init__(
        self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, subscriptions: Subscriptions, orders: Orders
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._subscriptions = subscriptions
        self._orders = orders
        self._news = News(db=db, clock=clock, ids=ids)
        self._refetch = Refetch(db=db, clock=clock, gateways=gateways, ids=ids, subscriptions=subscriptions)

    async def run(self, *, dry_run: bool = False, whole: bool = False) -> CatchUpReport:
        """Catch up on every account; one that cannot be reached does not hold up the others. With ``dry_run`` nothing is written.

        ``whole`` compares every subscription, whenever that was done last.
        """
        report, cause = CatchUpReport(dry_run), new_cause(self._ids, Origin.CATCH_UP)
        async with self._db.reading() as session:
            accounts = await comparing.accounts(session)
        for account in accounts:
            try:
                await self._account(account, cause, report, whole=whole)
            except ExternalError as error:
                _log.warning("catching up on account %s was cut short: %s", account.id, error)
                report.troubles.append(f"{account.id}: {error}")
            except Exception:  # noqa: BLE001 - one account that is poisoned must not hold up the others
                _log.exception("catching up on account %s failed", account.id)
                report.troubles.append(f"{account.id}: met a fault, see the log")
        return report

    async def refetch(
        self, community: CommunityId, refs: Iterable[SubscriptionRef], *, cause: CauseId, dry_run: bool = False
    ) -> Counter[str]:
        """Look at subscriptions of a community afresh: the sweep's way to ask before it ends anything."""
        return (await self._refetch.settle(community, refs, cause=cause, dry_run=dry_run)).counts

    async def _account(self, account: StripeAccountRow, cause: CauseId, report: CatchUpReport, *, whole: bool) -> None:
        gateway, now = await self._gateways.of(account.id), self._clock.now()
        stranger = await self._meet(account, gateway, dry_run=report.dry_run)
        if stranger:
            _log.error("nothing is asked of account %s: %s", account.id, stranger)
            report.troubles.append(f"{account.id}: {stranger}")
            return
        theirs = now - await _skew(gateway)
        waiting = WaitingOrders(
            db=self._db, clock=self._clock, ids=self._ids, orders=self._orders, account=account.id, cause=cause, dry_run=report.dry_run
        )
        await waiting.ask(gateway)
        for community in waiting.over:
            report.count("orders whose checkout is over", community)
        since = max((account.events_seen_at or theirs - REACH) - OVERLAP, theirs - REACH)
        missed = await self._news.missed(gateway, account.id, since, dry_run=report.dry_run)
        report.count("events for the account's lane", account.id, missed.queued + sum(told.books for told in missed.told))
        due = whole or account.full_sync_at is None or account.full_sync_at <= now - COMPARE_EVERY
        found = await compare(self._db, gateway, account.id) if due else Differences()
        if not found.credible:
            report.troubles.append(f"{account.id}: the processor lists no subscription at all; is it the right key?")
        await self._sort(account.id, {*missed.about(account.id), *waiting.weighed}, found)
        settled = await self._settle(account.id, found, missed.refunded(account.id), cause, report)
        if not report.dry_run:
            await waiting.settle(settled.unanswered)
        report.troubles += [
            f"{thing}: met a fault, see the log" for thing in (*waiting.failed, *(ref.external_id for ref in settled.failed))
        ]
        if report.dry_run:
            return
        answered = [told for told in missed.told if SubscriptionRef(account.id, told.subscription) not in settled.unanswered]
        await self._news.seen_to(account.id, answered)
        open_since = [event.created_at for event in missed.unanswered]
        open_since += [told.event.created_at for told in missed.told if told not in answered]
        synced = now if due and found.credible and not settled.unanswered and not settled.failed else None
        async with self._db.transaction() as session:
            await comparing.caught_up(session, account.id, events_seen_at=min([theirs, *open_since]), full_sync_at=synced)

    async def identity(self) -> str:
        """Return in a sentence why the environment's key is not for this database; empty when it is, or when that cannot be told now."""
        async with self._db.reading() as session:
            account = await session.get(StripeAccountRow, stripe_accounts.ENVIRONMENT)
        if account is None:
            return ""
        try:
            return await self._meet(account, await self._gateways.of(account.id), dry_run=True)
        except ExternalError as error:
            _log.warning("cannot tell yet which account the Stripe key is of: %s", error)
            return ""

    async def _meet(self, account: StripeAccountRow, gateway: PaymentGateway, *, dry_run: bool) -> str:
        """Learn which account our key is of, and whether for real money: events of any other are then set aside.

        Returns why it is not the one we know, in a sentence. A key that may not tell is taken for the right one.
        """
        try:
            found = await gateway.account()
        except PermanentError as error:
            _log.warning("the key of account %s does not tell whose it is: %s", account.id, error)
            return ""
        if account.external_id:
            return mismatch(account, found)
        if not dry_run:
            async with self._db.transaction() as session:
                await stripe_accounts.introduce(session, account.id, found.external_id, livemode=found.livemode)
        return ""

    async def _sort(self, account: StripeAccountId, refs: set[SubscriptionRef], found: Differences) -> None:
        """Put what events spoke of to the community whose it is."""
        async with self._db.reading() as session:
            rows = await comparing.subscriptions(session, account, [ref.external_id for ref in refs])
        for ref in refs:
            row = rows.get(ref.external_id)
            if row is None:
                found.new.add(ref)
            else:
                found.add(row.community_id, ref)

    async def _settle(
        self, account: StripeAccountId, found: Differences, refunded: Mapping[SubscriptionRef, str], cause: CauseId, report: CatchUpReport
    ) -> Settled:
        """Look at all of it afresh, community by community, and return what had no answer and what met a fault."""
        asking, whole = Several[SubscriptionRef](), Settled()

        async def meet(ref: SubscriptionRef) -> None:
            report.count("subscriptions we had not heard of", account)
            if not report.dry_run:
                await self._subscriptions.refresh(account, ref.external_id, cause=cause)

        await asking.each(sorted(found.new), meet)
        async with self._db.reading() as session:
            told = await overdue.confirmed(session)
        for community in sorted({*found.held, *told}):
            settled = await self._refetch.settle(
                community, found.held.get(community, ()), cause=cause, dry_run=report.dry_run, refunded=refunded
            )
            whole.unanswered |= settled.unanswered
            whole.failed += settled.failed
            for what, number in settled.counts.items():
                report.count(f"subscriptions {what}", community, number)
        whole.unanswered.update(asking.unanswered)
        whole.failed += asking.failed
        return whole


async def _skew(gateway: PaymentGateway) -> timedelta:
    """Return our clock minus the processor's, nothing when it will not tell: what is read twice by that is no news the second time."""
    try:
        return await gateway.skew()
    except PermanentError as error:
        _log.warning("the processor does not tell its time: %s", error)
        return timedelta(0)


def mismatch(known: StripeAccountRow, found: AccountSnapshot) -> str:
    """Return in a sentence that a key is of another account or mode than what we hold is of; empty when it is the same."""
    if (known.external_id, known.livemode) == (found.external_id, found.livemode):
        return ""
    modes = {True: "live", False: "test"}
    return (
        f"The Stripe key is of {found.external_id} ({modes[found.livemode]}), but this database holds what was sold with "
        f"{known.external_id} ({modes[known.livemode]}). Put the key of that account back, or start with an empty database."
    )
