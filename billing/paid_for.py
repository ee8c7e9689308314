"""What of ours a payment was for, whichever way it was sold."""

from dataclasses import dataclass

from core.errors import TransientError
from core.ids import CommunityId, GiftId, MemberId, OrderId, PlanId, StripeAccountId, TipId
from core.payments import PaymentSnapshot
from storage import entitlements, orders, subscriptions
from storage.database import Session
from storage.entitlements import SourceKind
from storage.gifts import GiftRow
from storage.orders import OrderRow
from storage.tips import TipRow

TIP = "tip"


@dataclass(frozen=True, slots=True)
class PaidFor:
    """What a payment was for. ``holder`` is who has it; ``source`` what an entitlement comes from, or a tip; ``plan`` is None for a tip."""

    community: CommunityId
    holder: MemberId
    source: tuple[str, str]
    plan: PlanId | None = None
    order: OrderId | None = None


async def paid_for(session: Session, account: StripeAccountId, payment: PaymentSnapshot) -> PaidFor | None:
    """Find it; None where it is not ours. TransientError while what is ours is not stored yet: a moment later it will be."""
    if payment.subscription:
        return await _subscription(session, account, payment)
    find = {"order": _order, "gift": _gift, "tip": _tip}.get(payment.kind)
    return await find(session, account, payment.reference) if find is not None else None


async def _subscription(session: Session, account: StripeAccountId, payment: PaymentSnapshot) -> PaidFor | None:
    paying = await subscriptions.by_stripe_id(session, account, payment.subscription, lock=True)
    if paying is None:
        order = await session.get(OrderRow, OrderId(payment.reference)) if payment.reference else None
        if order is not None and order.stripe_account_id == account:
            raise _not_yet()
        return None
    bought = await orders.of_subscription(session, account, payment.subscription)
    source = (str(SourceKind.SUBSCRIPTION), str(paying.id))
    return PaidFor(paying.community_id, paying.member_id, source, paying.plan_id, bought.id if bought is not None else None)


async def _order(session: Session, account: StripeAccountId, reference: str) -> PaidFor | None:
    order = await session.get(OrderRow, OrderId(reference))
    if order is None or order.stripe_account_id != account:
        return None
    if await entitlements.by_source(session, SourceKind.PASS, order.id) is None:
        raise _not_yet()
    return PaidFor(order.community_id, order.member_id, (str(SourceKind.PASS), str(order.id)), order.plan_id, order.id)


async def _gift(session: Session, account: StripeAccountId, reference: str) -> PaidFor | None:
    gift = await session.get(GiftRow, GiftId(reference))
    if gift is None or gift.stripe_account_id != account:
        return None
    return PaidFor(gift.community_id, gift.taken_by or gift.member_id, (str(SourceKind.GIFT), str(gift.id)), gift.plan_id)


async def _tip(session: Session, account: StripeAccountId, reference: str) -> PaidFor | None:
    tip = await session.get(TipRow, TipId(reference))
    if tip is None or tip.stripe_account_id != account:
        return None
    return PaidFor(tip.community_id, tip.member_id, (TIP, str(tip.id)))


def _not_yet() -> TransientError:
    return TransientError("what the payment was for is not stored yet", code="not_yet")
