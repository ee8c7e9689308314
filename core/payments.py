"""The payment processor as a port, and the snapshots it answers with. Amounts are minor units; times are aware UTC."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from core.ids import StripeAccountId
from core.money import Money
from core.promotions import CodeTerms, Discount, Promotion


class IntervalUnit(StrEnum):
    """How often a plan is paid for, or how long what it sells lasts."""

    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    DAYS = "days"
    """A pass: paid once, access for ``count`` days."""
    ONCE = "once"
    """Paid once, access for life."""


@dataclass(frozen=True, slots=True)
class Interval:
    """``count`` is 1 for week, month, year and once; the number of days for a pass."""

    unit: IntervalUnit
    count: int = 1

    @property
    def recurring(self) -> bool:
        """Whether the processor renews it (a subscription) or it is paid once."""
        return self.unit in {IntervalUnit.WEEK, IntervalUnit.MONTH, IntervalUnit.YEAR}

    def __str__(self) -> str:
        match self.unit:
            case IntervalUnit.DAYS:
                return f"for {self.count} days" if self.count != 1 else "for a day"
            case IntervalUnit.ONCE:
                return "once, for life"
            case _:
                return f"per {self.unit}"


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """The processor's account behind a key."""

    external_id: str
    livemode: bool
    charges_enabled: bool
    default_currency: str


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What a payer shall pay for. ``line`` is a price of ours, or an amount with a name (a tip)."""

    reference: str
    """Our order's or tip's id: ``client_reference_id``, and metadata on the session and what it makes."""
    kind: str
    """``order`` or ``tip``: metadata, so that a webhook finds its row."""
    recurring: bool
    success_url: str
    cancel_url: str
    expires_at: datetime
    price: str = ""
    amount: Money | None = None
    name: str = ""
    customer: str = ""
    trial_days: int = 0
    card: bool = True
    """Whether a card is asked for although nothing is due: a trial without one ends by itself."""
    codes: bool = False
    """Whether promotion codes may be typed."""
    locale_name: str = ""


class CheckoutStatus(StrEnum):
    """Where a Checkout Session stands."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class PaymentState(StrEnum):
    """Whether a Checkout Session's money is there."""

    PAID = "paid"
    UNPAID = "unpaid"
    """Not yet: the payer is still there, or the method takes days."""
    NOTHING_DUE = "no_payment_required"


@dataclass(frozen=True, slots=True)
class CheckoutSnapshot:
    """A Checkout Session as it is now. ``reference`` and ``kind`` are ours, from its metadata."""

    external_id: str
    url: str
    status: CheckoutStatus
    payment: PaymentState
    reference: str
    kind: str
    customer: str
    subscription: str
    payment_intent: str
    total: Money
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionSnapshot:
    """A subscription as it is now. ``status`` is open: new words may come. ``period_end`` is the latest over the items of the plan."""

    external_id: str
    status: str
    customer: str
    reference: str
    """Our order's id from its metadata; empty when it was not made by us."""
    prices: tuple[str, ...]
    created_at: datetime
    period_end: datetime
    trial_end: datetime | None
    cancel_at: datetime | None
    cancel_at_period_end: bool
    ended_at: datetime | None
    latest_invoice: str = ""
    period_start: datetime | None = None
    """When the current period began: a renewal that failed, failed then."""
    paused: bool = False
    """Whether nothing is collected for now, whatever the status says."""
    resumes_at: datetime | None = None
    """When a pause ends by itself."""
    waits: bool = False
    """Whether a change of it waits to be paid: until then it is as it was."""
    planned: bool = False
    """Whether a change of it is planned for its period's end."""


@dataclass(frozen=True, slots=True)
class InvoiceSnapshot:
    """An invoice as it is now. ``payment_intents`` are those that paid it."""

    external_id: str
    status: str
    subscription: str
    reference: str
    kind: str
    total: Money
    paid: Money
    payment_intents: tuple[str, ...]
    hosted_url: str
    next_attempt_at: datetime | None
    attempt_count: int


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """Money given back. ``fee`` is what the processor returned of its fee (usually nothing)."""

    external_id: str
    amount: Money
    status: str

    @property
    def failed(self) -> bool:
        """Whether nothing is given back by it."""
        return self.status in {"failed", "canceled"}

    @property
    def pending(self) -> bool:
        """Whether it may still go through or fail."""
        return self.status in {"pending", "requires_action"}


@dataclass(frozen=True, slots=True)
class PaymentSnapshot:
    """A payment (intent and its charge) as it is now. ``fee`` is in the settlement currency; None until it is known."""

    external_id: str
    status: str
    charge: str
    customer: str
    reference: str
    kind: str
    received: Money
    refunded: Money
    fee: Money | None
    refunds: tuple[RefundSnapshot, ...] = ()
    subscription: str = ""
    """The subscription whose invoice it paid; empty for a single payment."""
    invoice: str = ""

    @property
    def given_back(self) -> bool:
        """Whether all of it is given back or on its way; a refund that failed or was called off gives nothing back."""
        back = sum(refund.amount.minor for refund in self.refunds if not refund.failed) if self.refunds else self.refunded.minor
        return 0 < self.received.minor <= back

    @property
    def restored(self) -> bool:
        """Whether it was to be given back, which failed, so that it is paid again."""
        return not self.given_back and any(refund.failed for refund in self.refunds)

    @property
    def unsettled(self) -> bool:
        """Whether it is to be looked at again: its fee is not known yet, or a refund is on its way."""
        return (self.fee is None and self.received.minor > 0) or any(refund.pending for refund in self.refunds)


@dataclass(frozen=True, slots=True)
class DisputeEntry:
    """What a dispute moved on the processor's balance: ``amount`` is negative where it was taken, ``fee`` what was kept besides."""

    external_id: str
    amount: int
    fee: int
    currency: str


DISPUTE_HOLDS = ("needs_response", "under_review")
"""The processor's words while a payment is taken and nothing is decided: what it opened is suspended."""
DISPUTE_LOST = "lost"


@dataclass(frozen=True, slots=True)
class DisputeSnapshot:
    """A payment whose bank takes the money back, or asks about it, as it is now. ``status`` is open: new words may come."""

    external_id: str
    status: str
    reason: str
    payment: str
    """The payment intent, or the charge where there is none."""
    amount: Money
    answer_by: datetime | None
    """Until when evidence may be sent; None when it may not any more."""
    entries: tuple[DisputeEntry, ...] = ()

    @property
    def inquiry(self) -> bool:
        """Whether the bank only asks: no money has moved."""
        return self.status.startswith("warning_")

    @property
    def holds(self) -> bool:
        """Whether the money is taken and it is not decided yet."""
        return self.status in DISPUTE_HOLDS

    @property
    def lost(self) -> bool:
        """Whether the money stays with the bank."""
        return self.status == DISPUTE_LOST


@dataclass(frozen=True, slots=True)
class FraudWarning:
    """An issuer's early word that a payment is fraud."""

    external_id: str
    payment: str


@dataclass(frozen=True, slots=True)
class EventSnapshot:
    """One of the processor's events: its id, type and the id of the object it is about; never the object itself."""

    external_id: str
    type: str
    object_id: str
    created_at: datetime
    livemode: bool
    payload: bytes = field(repr=False, default=b"")


class ChangeTiming(StrEnum):
    """When a subscription changes to another price."""

    PAID = "paid"
    """Now, once the difference is paid; unpaid, nothing changes."""
    PERIOD_END = "period_end"
    """With the next period."""
    RENEWAL = "renewal"
    """The processor holds the new price at once and charges it at the next renewal: same interval only."""


class PaymentGateway(Protocol):
    """The processor, for one account. Every method may raise core.errors.ExternalError; ``key`` is our deterministic idempotency key."""

    async def account(self) -> AccountSnapshot:
        """Return the account behind the key; PermanentError (operator) when the key is refused."""
        ...

    async def create_product(self, name: str, description: str, metadata: Mapping[str, str], *, key: str) -> str:
        """Return the id of a new product."""
        ...

    async def create_price(self, product: str, price: Money, interval: Interval, metadata: Mapping[str, str], *, key: str) -> str:
        """Return the id of a new price: recurring where the interval is."""
        ...

    async def archive_product(self, product: str, *, key: str) -> None:
        """Stop selling a product; what was sold goes on."""
        ...

    async def create_customer(self, name: str, metadata: Mapping[str, str], *, key: str) -> str:
        """Return the id of a new customer."""
        ...

    async def customers_with(self, email: str) -> Sequence[str]:
        """Return the ids of the customers who gave exactly this e-mail address, the newest first: a hundred at the most."""
        ...

    async def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutSnapshot:
        """Open a Checkout Session."""
        ...

    async def checkout(self, external_id: str) -> CheckoutSnapshot:
        """Fetch a Checkout Session afresh."""
        ...

    async def expire_checkout(self, external_id: str) -> CheckoutSnapshot:
        """Close an open Checkout Session, so that it cannot be paid; one that is not open is returned as it is."""
        ...

    async def subscription(self, external_id: str) -> SubscriptionSnapshot:
        """Fetch a subscription afresh."""
        ...

    async def invoice(self, external_id: str) -> InvoiceSnapshot:
        """Fetch an invoice afresh."""
        ...

    async def payment(self, external_id: str, *, of: InvoiceSnapshot | None = None) -> PaymentSnapshot:
        """Fetch a payment intent (``pi_``), or that of a charge (``ch_``) or refund (``re_``), afresh, with charge, fee and refunds.

        ``of`` is the invoice it is known to have paid: without it that has to be asked for.
        """
        ...

    async def dispute(self, external_id: str) -> DisputeSnapshot:
        """Fetch a dispute afresh."""
        ...

    async def fraud_warning(self, external_id: str) -> FraudWarning:
        """Fetch an early fraud warning afresh."""
        ...

    async def portal(self, customer: str, return_url: str) -> str:
        """Return a short-lived address of the customer portal."""
        ...

    async def cancel_subscription(self, external_id: str, *, at_period_end: bool, key: str, reason: str = "") -> SubscriptionSnapshot:
        """Cancel, now or at the period's end; ``reason`` is the processor's word for why."""
        ...

    async def change_price(self, external_id: str, price: str, timing: ChangeTiming, *, key: str) -> SubscriptionSnapshot:
        """Change a subscription to another price; what was planned for it before is planned no more."""
        ...

    async def extend(self, external_id: str, until: datetime, *, key: str) -> SubscriptionSnapshot:
        """Have a subscription's next payment be at ``until``, in the future, and charge nothing before."""
        ...

    async def pause(self, external_id: str, resumes_at: datetime, *, key: str) -> SubscriptionSnapshot:
        """Collect nothing until ``resumes_at``."""
        ...

    async def resume(self, external_id: str, *, anew: bool, key: str) -> SubscriptionSnapshot:
        """Collect again; with ``anew`` a new period begins now and is charged."""
        ...

    async def discount(self, external_id: str, discount: Discount, *, key: str) -> SubscriptionSnapshot:
        """Take something off a subscription's next payments, in the place of what was taken off before."""
        ...

    async def create_code(self, discount: Discount, terms: CodeTerms, *, key: str) -> tuple[str, str]:
        """Make a coupon and the code it is typed as, and return both ids."""
        ...

    async def promotion(self, external_id: str) -> Promotion:
        """Fetch a promotion code afresh."""
        ...

    async def end_promotion(self, external_id: str, *, key: str) -> Promotion:
        """Have a code work no more; what was bought with it keeps it."""
        ...

    async def refund(self, payment: str, *, key: str) -> RefundSnapshot:
        """Give a payment (``pi_``) back, all that is left of it; PermanentError ``charge_already_refunded`` when nothing is."""
        ...

    def subscriptions(self) -> AsyncIterator[SubscriptionSnapshot]:
        """Yield every subscription of the account, whatever its status, newest first."""
        ...

    def events(self, since: datetime, types: Sequence[str], *, undelivered: bool) -> AsyncIterator[EventSnapshot]:
        """Yield events created at or after ``since`` (at most 30 days back), oldest first.

        With ``undelivered`` only those that did not reach us.
        """
        ...

    async def skew(self) -> timedelta:
        """Return our clock minus the processor's, from the ``Date`` of an answer."""
        ...


class PaymentGateways(Protocol):
    """A gateway for each of the processor's accounts we hold."""

    async def of(self, account: StripeAccountId) -> PaymentGateway:
        """Return the gateway of an account; PermanentError (operator) when its key cannot be used."""
        ...
