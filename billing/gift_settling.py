"""What becomes of a gift once it is paid: who has it, what is booked, and what its refund ends. All in the caller's transaction."""

from billing.giving import Given, give, reopen, take_back
from billing.ledger import FEE_KNOWN_AFTER, SALES, Books
from core.dispatch import stripe_lane
from core.errors import Refusal, TransientError
from core.events import Notice, NoticeKind
from core.ids import MemberId
from core.payments import Interval, PaymentSnapshot
from storage import entitlements, gifts, members
from storage.accounts import AccountRow
from storage.audit import Trail
from storage.database import Session
from storage.entitlements import SourceKind
from storage.gifts import GiftRow, GiftStatus
from storage.outbox import add_notice, add_refetch
from storage.plans import PlanRow


async def paid(session: Session, gift: GiftRow, payment: PaymentSnapshot, trail: Trail) -> Given | None:
    """Write that a gift is paid, and hand it over where it is for somebody named. TransientError where that must wait for a moment."""
    given = None
    if gift.status not in {GiftStatus.PAID, GiftStatus.TAKEN, GiftStatus.REFUNDED}:
        gift.paid_at, gift.stripe_payment_intent_id = trail.at, payment.external_id
        gifts.advance(session, gift, GiftStatus.PAID, trail, payment.external_id)
    if gift.status == GiftStatus.PAID and gift.for_account_id is not None:
        try:
            given = await hand_over(session, gift, await session.get_one(AccountRow, gift.for_account_id), trail)
        except Refusal as refusal:  # nobody is there to hear it; what was given them before is through in a moment
            raise TransientError(refusal.message, code=refusal.code) from refusal
    elif gift.status == GiftStatus.TAKEN and gift.taken_by is not None:
        given = await _give(session, gift, gift.taken_by, trail)
    return await book(session, gift, payment, trail) or given


async def book(session: Session, gift: GiftRow, payment: PaymentSnapshot, trail: Trail) -> Given | None:
    """Book a gift's payment, fee and refunds: given back in full it ends, whoever has it, and opens again where that failed."""
    books = Books(session, trail.ids, gift.community_id, gift.stripe_account_id, trail)
    await books.payment(payment, SALES, f"gift:{gift.id}")
    if payment.unsettled:
        lane, due = stripe_lane(gift.stripe_account_id), trail.at + FEE_KNOWN_AFTER
        await add_refetch(session, trail, gift.community_id, lane, payment.external_id, due)
    if payment.restored and gift.status == GiftStatus.REFUNDED:
        held = await entitlements.by_source(session, SourceKind.GIFT, gift.id)
        gifts.advance(session, gift, GiftStatus.TAKEN if gift.taken_by else GiftStatus.PAID, trail, payment.external_id)
        if held is not None:
            await reopen(session, held, trail)
    if not payment.given_back:
        return None
    back = await take_back(session, (SourceKind.GIFT, gift.id), trail)
    if gift.status != GiftStatus.REFUNDED:
        gifts.advance(session, gift, GiftStatus.REFUNDED, trail, payment.external_id)
        if gift.taken_by is not None:
            plan = await session.get_one(PlanRow, gift.plan_id)
            notice = Notice(NoticeKind.GIFT_BACK, {"plan": plan.name, "next": back.until.isoformat() if back else None})
            await add_notice(session, trail, gift.community_id, notice, member=gift.taken_by, dedupe=f"gift_back:{gift.id}")
    return Given(back.until, back) if back is not None else None


async def hand_over(session: Session, gift: GiftRow, account: AccountRow, trail: Trail) -> Given:
    """Give a gift to an account's member and tell both sides; what is returned may have to be asked of the processor yet."""
    await members.hold(session, account.member_id)
    given = await _give(session, gift, MemberId(account.member_id), trail)
    gift.taken_by = account.member_id
    gifts.advance(session, gift, GiftStatus.TAKEN, trail)
    plan = await session.get_one(PlanRow, gift.plan_id)
    facts = {"plan": plan.name, "giver": gift.giver, "lasts": lasts(gift.interval), "pays_next": given.extension is not None,
             "until": given.until.isoformat() if given.until else None}  # fmt: skip
    await add_notice(session, trail, gift.community_id, Notice(NoticeKind.GIFT, facts), member=MemberId(account.member_id),
                     dedupe=f"gift:{gift.id}")  # fmt: skip
    told = Notice(NoticeKind.GIFT_TAKEN, {"plan": plan.name, "who": account.name})
    await add_notice(session, trail, gift.community_id, told, member=gift.member_id, dedupe=f"gift_taken:{gift.id}")
    return given


async def _give(session: Session, gift: GiftRow, member: MemberId, trail: Trail) -> Given:
    return await give(session, (gift.community_id, member), gift.plan_id, gift.interval, (SourceKind.GIFT, gift.id), trail, paid=True)


def lasts(interval: Interval) -> str:
    """Say how long something lasts: ``for a month``, ``for 3 months``, ``for life``."""
    if interval.unit == "once":
        return "for life"
    unit = "day" if interval.unit == "days" else str(interval.unit)
    return f"for a {unit}" if interval.count == 1 else f"for {interval.count} {unit}s"
