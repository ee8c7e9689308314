from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta

import stripe

from billing.stripe import changing, listing, payments, promotions, subscription
from billing.stripe.caller import Caller, Keyring
from billing.stripe.catalogue import customer_params, price_params, product_params
from billing.stripe.checkout import session_params
from billing.stripe.skew import Skew
from billing.stripe.snapshots import checkout_snapshot, dispute_snapshot, fraud_warning, invoice_snapshot, refund_snapshot
from core.clock import Clock
from core.errors import PermanentError, TransientError
from core.money import Money
from core.payments import (
    AccountSnapshot,
    ChangeTiming,
    CheckoutRequest,
    CheckoutSnapshot,
    CheckoutStatus,
    DisputeSnapshot,
    EventSnapshot,
    FraudWarning,
    Interval,
    InvoiceSnapshot,
    PaymentSnapshot,
    RefundSnapshot,
    SubscriptionSnapshot,
)
from core.promotions import CodeTerms, Discount, Promotion


class StripeGateway:
    """The payment port on one of Stripe's accounts: ``account`` is a connected account's id, or empty for the keys' own.

    ``clock`` is compared with Stripe's, nothing else. The client is shared and outlives the gateway.
    """

    def __init__(self, client: stripe.StripeClient, keys: Keyring, clock: Clock, account: str = "") -> None:
        self._skew = Skew(clock)
        self._call = Caller(client, keys, account, self._skew)
        self._v1 = client.v1
        self._keys = keys

    async def account(self) -> AccountSnapshot:
        found = await self._call(lambda options: self._v1.accounts.retrieve_current_async(options=options))
        return AccountSnapshot(
            external_id=found.id,
            livemode="_live_" in self._keys.in_order()[0],  # an account has no mode, the key that just worked has
            charges_enabled=bool(found.charges_enabled),
            default_currency=(found.default_currency or "").upper(),
        )

    async def create_product(self, name: str, description: str, metadata: Mapping[str, str], *, key: str) -> str:
        params = product_params(name, description, metadata)
        return (await self._call(lambda options: self._v1.products.create_async(params, options), key=key)).id

    async def create_price(self, product: str, price: Money, interval: Interval, metadata: Mapping[str, str], *, key: str) -> str:
        params = price_params(product, price, interval, metadata)
        return (await self._call(lambda options: self._v1.prices.create_async(params, options), key=key)).id

    async def archive_product(self, product: str, *, key: str) -> None:
        await self._call(lambda options: self._v1.products.update_async(_id(product), {"active": False}, options), key=key)

    async def create_customer(self, name: str, metadata: Mapping[str, str], *, key: str) -> str:
        params = customer_params(name, metadata)
        return (await self._call(lambda options: self._v1.customers.create_async(params, options), key=key)).id

    async def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutSnapshot:
        params = session_params(request)
        return checkout_snapshot(await self._call(lambda options: self._v1.checkout.sessions.create_async(params, options), key=key))

    async def checkout(self, external_id: str) -> CheckoutSnapshot:
        session_id = _id(external_id, "cs_")
        return checkout_snapshot(await self._call.get("checkout/sessions", session_id))

    async def expire_checkout(self, external_id: str) -> CheckoutSnapshot:
        session_id = _id(external_id, "cs_")
        try:
            session = await self._call(
                lambda options: self._v1.checkout.sessions.expire_async(session_id, options=options), key=f"expire:{session_id}"
            )
        except PermanentError:
            now = await self.checkout(session_id)
            if now.status is CheckoutStatus.OPEN:
                raise
            return now
        return checkout_snapshot(session)

    async def subscription(self, external_id: str) -> SubscriptionSnapshot:
        return await subscription.fetch_subscription(self._call, _id(external_id, "sub_"))

    async def invoice(self, external_id: str) -> InvoiceSnapshot:
        return invoice_snapshot(await self._call.get("invoices", _id(external_id, "in_"), expand=["payments"]))

    async def payment(self, external_id: str, *, of: InvoiceSnapshot | None = None) -> PaymentSnapshot:
        return await payments.fetch_payment(self._call, _id(external_id, "pi_", *payments.CHARGES, *payments.REFUNDS), of)

    async def dispute(self, external_id: str) -> DisputeSnapshot:
        return dispute_snapshot(await self._call.get("disputes", _id(external_id, "du_", "dp_")))

    async def fraud_warning(self, external_id: str) -> FraudWarning:
        return fraud_warning(await self._call.get("radar/early_fraud_warnings", _id(external_id, "issfr_")))

    async def customers_with(self, email: str) -> Sequence[str]:
        found = await self._call(lambda options: self._v1.customers.list_async({"email": email, "limit": 100}, options))
        return [customer.id for customer in found.data]

    async def portal(self, customer: str, return_url: str) -> str:
        """Without a key of ours: a repeated click must not get an address that has passed, and a session too many does no harm."""
        return (
            await self._call(
                lambda options: self._v1.billing_portal.sessions.create_async({"customer": customer, "return_url": return_url}, options)
            )
        ).url

    async def cancel_subscription(self, external_id: str, *, at_period_end: bool, key: str, reason: str = "") -> SubscriptionSnapshot:
        return await subscription.cancel(self._call, _id(external_id, "sub_"), at_period_end=at_period_end, key=key, reason=reason)

    async def change_price(self, external_id: str, price: str, timing: ChangeTiming, *, key: str) -> SubscriptionSnapshot:
        return await changing.change_price(self._call, _id(external_id, "sub_"), _id(price, "price_"), timing, key)

    async def extend(self, external_id: str, until: datetime, *, key: str) -> SubscriptionSnapshot:
        return await changing.extend(self._call, _id(external_id, "sub_"), until, key)

    async def pause(self, external_id: str, resumes_at: datetime, *, key: str) -> SubscriptionSnapshot:
        return await changing.pause(self._call, _id(external_id, "sub_"), resumes_at, key)

    async def resume(self, external_id: str, *, anew: bool, key: str) -> SubscriptionSnapshot:
        return await changing.resume(self._call, _id(external_id, "sub_"), key, anew=anew)

    async def discount(self, external_id: str, discount: Discount, *, key: str) -> SubscriptionSnapshot:
        return await changing.discount(self._call, _id(external_id, "sub_"), discount, key)

    async def create_code(self, discount: Discount, terms: CodeTerms, *, key: str) -> tuple[str, str]:
        return await promotions.create_code(self._call, discount, terms, key)

    async def promotion(self, external_id: str) -> Promotion:
        return await promotions.fetch(self._call, _id(external_id, "promo_"))

    async def end_promotion(self, external_id: str, *, key: str) -> Promotion:
        return await promotions.end(self._call, _id(external_id, "promo_"), key)

    async def refund(self, payment: str, *, key: str) -> RefundSnapshot:
        payment_intent = _id(payment, "pi_")
        return refund_snapshot(
            await self._call(lambda options: self._v1.refunds.create_async({"payment_intent": payment_intent}, options), key=key)
        )

    def subscriptions(self) -> AsyncIterator[SubscriptionSnapshot]:
        return listing.every_subscription(self._call)

    def events(self, since: datetime, types: Sequence[str], *, undelivered: bool) -> AsyncIterator[EventSnapshot]:
        return listing.events_since(self._call, since, types, undelivered=undelivered)

    async def skew(self) -> timedelta:
        """From the latest answer, whatever was asked; without one, from a question that catch-up's key must be allowed anyway."""
        if self._skew.known() is None:
            await self._call(lambda options: self._v1.events.list_async({"limit": 1}, options))
        known = self._skew.known()
        if known is None:
            raise TransientError("Stripe's answer had no Date to compare our clock with.", code="no_date")
        return known


def _id(external_id: str, *prefixes: str) -> str:
    """Return the id if it is of the kind asked about: an empty one would ask for the list. PermanentError otherwise."""
    if not external_id or (prefixes and not external_id.startswith(prefixes)):
        raise PermanentError(f"Stripe has no such thing as “{external_id[:40]}” here.", code="resource_missing")
    return external_id
