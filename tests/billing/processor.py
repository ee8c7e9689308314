"""The payment port over plain dictionaries: what it knows is what a test has told it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar, cast

from core.errors import ExternalError, PermanentError
from core.ids import StripeAccountId
from core.money import Money
from core.payments import (
    AccountSnapshot,
    CheckoutSnapshot,
    CheckoutStatus,
    EventSnapshot,
    InvoiceSnapshot,
    PaymentGateway,
    PaymentSnapshot,
    PaymentState,
    RefundSnapshot,
    SubscriptionSnapshot,
)

T = TypeVar("T")


class Processor:
    """One account. ``asked`` is every object fetched; ``broken`` fails every call, ``silent`` those about single objects."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.held: dict[str, SubscriptionSnapshot] = {}
        self.checkouts: dict[str, CheckoutSnapshot] = {}
        self.invoices: dict[str, InvoiceSnapshot] = {}
        self.payments: dict[str, PaymentSnapshot] = {}
        self.happened: list[EventSnapshot] = []
        self.skewed = timedelta(0)
        self.listed = True
        self.broken: ExternalError | None = None
        self.silent: dict[str, Exception] = {}
        self.asked: list[str] = []
        self.since: list[datetime] = []

    async def of(self, account: StripeAccountId) -> PaymentGateway:
        if account != "env":
            raise PermanentError("no such account", code="unknown_account")
        return cast("PaymentGateway", self)

    async def account(self) -> AccountSnapshot:
        self._fail()
        return AccountSnapshot("acct_1", livemode=False, charges_enabled=True, default_currency="USD")

    async def subscription(self, external_id: str) -> SubscriptionSnapshot:
        self._ask(external_id)
        return _one(self.held, external_id)

    async def checkout(self, external_id: str) -> CheckoutSnapshot:
        self._ask(external_id)
        return _one(self.checkouts, external_id)

    async def invoice(self, external_id: str) -> InvoiceSnapshot:
        self._ask(external_id)
        return _one(self.invoices, external_id)

    async def payment(self, external_id: str, *, of: InvoiceSnapshot | None = None) -> PaymentSnapshot:
        assert of is None or external_id in of.payment_intents
        self._ask(external_id)
        return _one(self.payments, external_id)

    async def subscriptions(self) -> AsyncIterator[SubscriptionSnapshot]:
        self._fail()
        for snapshot in list(self.held.values()) if self.listed else []:
            yield snapshot

    async def events(self, since: datetime, types: Sequence[str], *, undelivered: bool) -> AsyncIterator[EventSnapshot]:
        self._fail()
        assert not undelivered
        self.since.append(since)
        for event in sorted(self.happened, key=lambda event: event.created_at):
            if event.created_at >= since and event.type in types:
                yield event

    async def skew(self) -> timedelta:
        self._fail()
        return self.skewed

    def _fail(self) -> None:
        if self.broken is not None:
            raise self.broken

    def _ask(self, external_id: str) -> None:
        self._fail()
        self.asked.append(external_id)
        if external_id in self.silent:
            raise self.silent[external_id]

    def says(
        self, external_id: str, status: str, period_end: datetime, *, price: str = "price_town-gold", reference: str = "", invoice: str = ""
    ) -> None:
        """Hold a subscription as it is now."""
        self.held[external_id] = SubscriptionSnapshot(
            external_id=external_id,
            status=status,
            customer=f"cus_{external_id}",
            reference=reference,
            prices=(price,),
            created_at=period_end - timedelta(days=30),
            period_end=period_end,
            trial_end=None,
            cancel_at=None,
            cancel_at_period_end=False,
            ended_at=None,
            latest_invoice=invoice,
        )

    def bills(self, external_id: str, subscription: str, payment: str) -> None:
        """Hold an invoice of a subscription, and the payment that was for it."""
        due = Money(999, "USD")
        self.invoices[external_id] = InvoiceSnapshot(external_id, "paid", subscription, "", "", due, due, (payment,), "", None, 1)
        self.payments[payment] = self._paid(payment, subscription, external_id)

    def gives_back(self, external_id: str, subscription: str, invoice: str, amount: Money = Money(999, "USD")) -> None:  # noqa: B008
        """Hold a payment of a subscription's invoice that was given back, in full unless said otherwise."""
        refund = RefundSnapshot(f"re_{external_id}", amount, "succeeded")
        self.payments[external_id] = replace(self._paid(external_id, subscription, invoice), refunded=amount, refunds=(refund,))

    def _paid(self, external_id: str, subscription: str, invoice: str) -> PaymentSnapshot:
        paid, nothing = Money(999, "USD"), Money(0, "USD")
        return PaymentSnapshot(
            external_id, "succeeded", f"ch_{external_id}", f"cus_{subscription}", "", "", paid, nothing, nothing,
            subscription=subscription, invoice=invoice,
        )  # fmt: skip

    def event(self, name: str, kind: str, about: str, at: datetime) -> None:
        """Have something happen."""
        self.happened.append(EventSnapshot(name, kind, about, at, livemode=False, payload=b"{}"))

    def checks_out(self, external_id: str, order: str, status: CheckoutStatus, subscription: str = "") -> None:
        """Hold a Checkout Session as it is now."""
        self.checkouts[external_id] = CheckoutSnapshot(
            external_id=external_id,
            url="https://pay.example/c",
            status=status,
            payment=PaymentState.PAID if status is CheckoutStatus.COMPLETE else PaymentState.UNPAID,
            reference=order,
            kind="order",
            customer=f"cus_{external_id}",
            subscription=subscription,
            payment_intent="",
            total=Money(999, "USD"),
            expires_at=self.now,
        )


def _one(held: Mapping[str, T], external_id: str) -> T:
    if external_id not in held:
        raise PermanentError("never heard of it", code="resource_missing")
    return held[external_id]
