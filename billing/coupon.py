"""Codes that take something off, made from chat and typed at the checkout."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.clock import Clock
from core.errors import PermanentError, Refusal
from core.ids import CauseId, CommunityId, CouponId, Ids, PlanId
from core.money import Money
from core.payments import PaymentGateways
from core.promotions import CodeTerms, Discount
from storage import coupons, plans
from storage.audit import Trail, record
from storage.coupons import CouponRow
from storage.database import Database, Session
from storage.plans import PlanRow
from storage.stripe_accounts import ENVIRONMENT

MOST_USES, MOST_MONTHS, SHOWN = 100_000, 36, 20
_CODE = re.compile(r"[A-Z0-9-]{3,40}")


@dataclass(frozen=True, slots=True)
class NewCoupon:
    """What a creator asked for. ``percent`` or ``amount``; ``months`` None for one payment, 0 for all of them."""

    code: str
    percent: int | None
    amount: Money | None
    months: int | None
    max_uses: int | None
    lifetime: timedelta | None
    plan: str = ""


@dataclass(frozen=True, slots=True)
class CouponView:
    """A code as its creator sees it."""

    row: CouponRow
    plan: str
    uses: int
    works: bool


class Coupons:
    """Makes, lists and ends codes."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways

    async def create(self, community: CommunityId, new: NewCoupon, *, actor: str, cause: CauseId) -> CouponView:
        """Make a code, for what is on sale now: it is worth nothing in another community of the same account.

        Refusals ``bad_code``, ``bad_off``, ``bad_months``, ``bad_uses``, ``code_taken``, ``plan_unknown``, ``nothing_sold``.
        """
        code = _check(new)
        async with self._db.transaction() as session:
            sold = await self._sold(session, community, new.plan)
            row = await session.get(CouponRow, CouponId(cause))
            if row is None:
                if await coupons.by_code(session, ENVIRONMENT, code) is not None:
                    raise _taken(code)
                row = self._row(community, new, code, sold[0].id if new.plan else None, cause)
                session.add(row)
                trail = Trail(self._ids, self._clock.now(), cause, actor)
                record(session, trail, community, "coupon.created", ("coupon", row.id), after={"code": code, "off": row.off})
        await self._at_processor(row, new, [plan.stripe_product_id for plan in sold])
        return CouponView(row, new.plan and sold[0].name, 0, works=True)

    async def listing(self, community: CommunityId) -> Sequence[CouponView]:
        """Return a community's codes, with how often the processor says each was used."""
        async with self._db.reading() as session:
            rows = (await coupons.live(session, community, self._clock.now()))[:SHOWN]
            names = {row.id: (await session.get_one(PlanRow, row.plan_id)).name if row.plan_id else "" for row in rows}
        found = []
        for row in rows:
            promotion = await (await self._gateways.of(row.stripe_account_id)).promotion(row.stripe_promotion_id)
            found.append(CouponView(row, names[row.id], promotion.uses, promotion.active))
        return found

    async def end(self, community: CommunityId, code: str, *, actor: str, cause: CauseId) -> CouponView:
        """Have a code work no more; what was bought with it keeps it. Refusal ``code_unknown``."""
        async with self._db.reading() as session:
            row = await coupons.by_code(session, ENVIRONMENT, code.strip().upper())
        if row is None or row.community_id != community:
            raise Refusal("code_unknown", f"There is no code “{code[:40]}” here. /doorman coupon list shows them all.")
        uses = 0
        if row.stripe_promotion_id:
            gateway = await self._gateways.of(row.stripe_account_id)
            uses = (await gateway.end_promotion(row.stripe_promotion_id, key=f"coupon:{row.id}:end")).uses
        async with self._db.transaction() as session:
            held = await session.get_one(CouponRow, row.id)
            held.ended_at = held.ended_at or self._clock.now()
            session.add(held)
            record(session, Trail(self._ids, self._clock.now(), cause, actor), community, "coupon.ended", ("coupon", row.id))
        return CouponView(row, "", uses, works=False)

    async def _at_processor(self, row: CouponRow, new: NewCoupon, products: Sequence[str]) -> None:
        if row.stripe_promotion_id:
            return
        off = Discount(new.percent, new.amount, new.months, tuple(products), name=f"{row.off} off")
        terms = CodeTerms(row.code, row.max_uses, row.expires_at)
        try:
            coupon, code = await (await self._gateways.of(row.stripe_account_id)).create_code(off, terms, key=f"coupon:{row.id}")
        except PermanentError as error:
            if error.code != "resource_already_exists":
                raise
            async with self._db.transaction() as session:
                held = await session.get_one(CouponRow, row.id)
                held.ended_at = self._clock.now()
                session.add(held)
            raise _taken(row.code) from error
        async with self._db.transaction() as session:
            held = await session.get_one(CouponRow, row.id)
            held.stripe_coupon_id, held.stripe_promotion_id = coupon, code
            session.add(held)

    async def _sold(self, session: Session, community: CommunityId, name: str) -> list[PlanRow]:
        if name:
            row = await plans.by_name(session, community, name)
            if row is None or not row.stripe_product_id:
                raise Refusal("plan_unknown", f"There is no plan “{name[:60]}” here. /doorman plan list shows them all.")
            return [row]
        rows = [await session.get_one(PlanRow, PlanId(view.id)) for view in await plans.views(session, community)]
        rows = [row for row in rows if row.stripe_product_id]
        if not rows:
            raise Refusal("nothing_sold", "There is nothing on sale a code could be for. /doorman plan create makes a plan first.")
        return rows

    def _row(self, community: CommunityId, new: NewCoupon, code: str, plan: PlanId | None, cause: CauseId) -> CouponRow:
        now = self._clock.now()
        return CouponRow(
            id=CouponId(cause), community_id=community, stripe_account_id=ENVIRONMENT, code=code, percent=new.percent,
            amount=new.amount.minor if new.amount else None, currency=new.amount.currency if new.amount else None, months=new.months,
            plan_id=plan, max_uses=new.max_uses, expires_at=now + new.lifetime if new.lifetime else None, created_at=now,
        )  # fmt: skip


def _check(new: NewCoupon) -> str:
    code = new.code.strip().upper()
    if not _CODE.fullmatch(code):
        raise Refusal("bad_code", "A code has 3 to 40 letters, digits and hyphens, like SPRING-25.")
    if (new.percent is None) == (new.amount is None) or not 1 <= (1 if new.percent is None else new.percent) <= 100:  # noqa: PLR2004 - percent
        raise Refusal("bad_off", "Say what it takes off, like 20% or 5 USD.")
    if new.months is not None and not 0 <= new.months <= MOST_MONTHS:
        raise Refusal("bad_months", f"A code works for 1 to {MOST_MONTHS} months; 0 for always. Leave months out for one payment.")
    if new.max_uses is not None and not 1 <= new.max_uses <= MOST_USES:
        raise Refusal("bad_uses", f"A code can be used 1 to {MOST_USES:,} times. Leave uses out for no limit.")
    return code


def _taken(code: str) -> Refusal:
    return Refusal("code_taken", f"The code {code} is taken already. Choose another, or end that one with /doorman coupon end.")
