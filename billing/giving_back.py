"""Money back to whoever paid and could not be let in, or paid twice: by the creator's word alone, and once."""

from dataclasses import dataclass

from billing.giving import take_back
from billing.refund import Payments
from billing.subscription import Subscriptions
from core.clock import Clock
from core.errors import PermanentError, Refusal
from core.ids import CauseId, CommunityId, Ids, OrderId
from core.money import Money
from core.payments import PaymentGateway, PaymentGateways
from storage import delivering, disputes, doubles
from storage.audit import Trail, record
from storage.database import Database
from storage.entitlements import SourceKind
from storage.orders import OrderRow

ALREADY = "charge_already_refunded"


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What was given back to whom. ``amounts`` is empty where nothing had been paid yet, as in a trial; ``kept``: another one goes on."""

    name: str
    plan: str
    amounts: tuple[Money, ...]
    kept: bool


class GivingBack:
    """Ends what an order bought and gives its money back."""

    def __init__(
        self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, subscriptions: Subscriptions, payments: Payments
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._subscriptions = subscriptions
        self._payments = payments

    async def give_back(self, community: CommunityId, order: OrderId, *, actor: str, cause: CauseId) -> GivenBack:
        """Give an order's money back, ending its subscription first so that nothing is charged again: undelivered, a double, or fraud.

        Refusal ``delivered`` for any other.
        Asked twice it is done once: every call carries a key made of the order.
        """
        async with self._db.transaction() as session:
            double = await doubles.find(session, community, order)
            delivery = double or await delivering.find(session, community, order) or await disputes.warned(session, community, order)
            if delivery is None:
                raise Refusal("delivered", "They are in by now, or it is settled otherwise, so nothing was given back.")
            trail = Trail(self._ids, self._clock.now(), cause, actor)
            record(session, trail, community, "order.giving_back", ("order", order), member=delivery.order.member_id)
        row = delivery.order
        gateway = await self._gateways.of(row.stripe_account_id)
        intents = await self._stop(gateway, row)
        amounts = [amount for intent in intents if (amount := await _refund(gateway, order, intent)) is not None]
        for intent in intents:
            await self._payments.look(row.stripe_account_id, intent, cause=cause)
        if row.stripe_subscription_id:
            await self._subscriptions.refresh(row.stripe_account_id, row.stripe_subscription_id, cause=cause)
        else:
            async with self._db.transaction() as session:  # also where what is refunded is kept: this one was not delivered, or is fraud
                await take_back(session, (SourceKind.PASS, order), Trail(self._ids, self._clock.now(), cause, actor))
        return GivenBack(delivery.account.name, delivery.plan.name, tuple(amounts), double is not None)

    async def _stop(self, gateway: PaymentGateway, row: OrderRow) -> tuple[str, ...]:
        """End the subscription, if it is one, and return the payments that were made for the order."""
        if not row.stripe_subscription_id:
            return (row.stripe_payment_intent_id,) if row.stripe_payment_intent_id else ()
        key = f"give-back:{row.id}:cancel"
        snapshot = await gateway.subscription(row.stripe_subscription_id)
        if snapshot.ended_at is None:
            snapshot = await gateway.cancel_subscription(row.stripe_subscription_id, at_period_end=False, key=key)
        return (await gateway.invoice(snapshot.latest_invoice)).payment_intents if snapshot.latest_invoice else ()


async def _refund(gateway: PaymentGateway, order: OrderId, intent: str) -> Money | None:
    try:
        return (await gateway.refund(intent, key=f"give-back:{order}:{intent}")).amount
    except PermanentError as error:
        if error.code != ALREADY:
            raise
        return None
