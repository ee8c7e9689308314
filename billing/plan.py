"""Plans: what is sold, at Stripe and here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2s

from core.clock import Clock
from core.errors import Refusal
from core.ids import CauseId, CommunityId, Ids, PlanId, PriceId, ResourceId, SpaceId
from core.money import Money, check_chargeable
from core.payments import Interval, IntervalUnit, PaymentGateways
from core.platform import ResourceLabel
from storage import plan_resources, plans, resources
from storage.audit import Trail, record
from storage.database import Database, Session
from storage.outbox import add_reconcile
from storage.plans import PlanRow, PlanStatus, PlanView
from storage.prices import PriceRow
from storage.stripe_accounts import ENVIRONMENT

LONGEST_NAME = 60
LONGEST_DESCRIPTION = 300
LONGEST_PASS = 3650
LONGEST_TRIAL = 365
_PASS = re.compile(r"(\d{1,5})\s*(?:days?|d)")
_WORDS = {
    "week": IntervalUnit.WEEK, "weekly": IntervalUnit.WEEK, "month": IntervalUnit.MONTH, "monthly": IntervalUnit.MONTH,
    "year": IntervalUnit.YEAR, "yearly": IntervalUnit.YEAR, "annual": IntervalUnit.YEAR, "annually": IntervalUnit.YEAR,
    "once": IntervalUnit.ONCE, "lifetime": IntervalUnit.ONCE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewPlan:
    """What a creator asked for; the resources were checked with their platform."""

    community: CommunityId
    space: SpaceId
    name: str
    price: Money
    interval: Interval
    trial_days: int
    description: str
    resources: tuple[ResourceLabel, ...]


def parse_interval(text: str) -> Interval:
    """Read ``week``, ``month``, ``year``, ``once`` or ``30 days``. Raises Refusal ``bad_interval``."""
    word = " ".join(text.split()).lower()
    if word in _WORDS:
        return Interval(_WORDS[word])
    days = _PASS.fullmatch(word)
    if days is None or not 1 <= int(days[1]) <= LONGEST_PASS:
        raise Refusal(
            "bad_interval", f"I don't know the interval “{text[:30]}”. Use week, month, year, once, or a number of days like 30 days."
        )
    return Interval(IntervalUnit.DAYS, int(days[1]))


class Plans:
    """Makes, lists and archives plans."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways

    async def create(self, new: NewPlan, *, actor: str, cause: CauseId) -> PlanView:
        """Store a plan and make its product and price at Stripe; asking again after a crash goes on where it stopped."""
        _check(new)
        plan, price = await self._store(new, Trail(self._ids, self._clock.now(), cause, actor))
        gateway = await self._gateways.of(plan.stripe_account_id)
        marks = {"doorman_plan": plan.id, "doorman_community": plan.community_id}
        # a plan finished by asking again may be described otherwise: the key names what it says
        words = blake2s(f"{plan.name}\n{plan.description}".encode(), digest_size=8).hexdigest()
        product_id = await gateway.create_product(plan.name, plan.description, marks, key=f"plan:{plan.id}:product:{words}")
        price_id = await gateway.create_price(product_id, price.money, plan.interval, marks, key=f"price:{price.id}:{product_id}")
        async with self._db.transaction() as session:
            plan = await session.get_one(PlanRow, plan.id)
            price = await session.get_one(PriceRow, price.id)
            plan.stripe_product_id, plan.status, price.stripe_price_id = product_id, PlanStatus.ACTIVE, price_id
            session.add_all([plan, price])
            trail = Trail(self._ids, self._clock.now(), cause, actor)
            record(
                session, trail, plan.community_id, "plan.created", ("plan", plan.id), after={"name": plan.name, "price": str(price.money)}
            )
            await session.flush()
            return await plans.view(session, plan)

    async def archive(self, community: CommunityId, name: str, *, actor: str, cause: CauseId) -> PlanView:
        """Stop selling a plan; its members keep it. The product is archived first: a crash in between is mended by asking again."""
        plan = await self._named(community, name)
        if plan.stripe_product_id:
            gateway = await self._gateways.of(plan.stripe_account_id)
            await gateway.archive_product(plan.stripe_product_id, key=f"plan:{plan.id}:archive")
        async with self._db.transaction() as session:
            plan = await session.get_one(PlanRow, plan.id)
            before, plan.status = str(plan.status), PlanStatus.ARCHIVED
            session.add(plan)
            trail = Trail(self._ids, self._clock.now(), cause, actor)
            record(session, trail, community, "plan.archived", ("plan", plan.id), before={"status": before}, after={"status": "archived"})
            await session.flush()
            return await plans.view(session, plan)

    async def listing(self, community: CommunityId) -> Sequence[PlanView]:
        """Return the plans that are not archived, oldest first."""
        async with self._db.reading() as session:
            return await plans.views(session, community)

    async def add_resource(
        self, community: CommunityId, name: str, space: SpaceId, label: ResourceLabel, *, actor: str, cause: CauseId
    ) -> PlanView:
        """Open one more resource with a plan, for everyone who has it too."""
        found = await self._named(community, name)
        async with self._db.transaction() as session:
            plan = await session.get_one(PlanRow, found.id)
            resource = await resources.ensure(session, community, space, label, self._ids)
            if not await plan_resources.add(session, community, plan.id, resource.id):
                raise Refusal("already_open", f"“{plan.name}” opens {label.name} already. /doorman plan list shows what it opens.")
            return await self._changed(session, plan, "plan.resource_added", resource.id, Trail(self._ids, self._clock.now(), cause, actor))

    async def remove_resource(
        self, community: CommunityId, name: str, space: SpaceId, label: ResourceLabel, *, actor: str, cause: CauseId
    ) -> PlanView:
        """Open one resource less; those who hold it by another plan keep it. The last one stays: a plan must open something."""
        found = await self._named(community, name)
        async with self._db.transaction() as session:
            plan = await session.get_one(PlanRow, found.id)
            resource = await resources.find(session, space, label.resource)
            opened = await plan_resources.of_plan(session, plan.id)
            if resource is None or resource.id not in opened:
                raise Refusal("not_open", f"“{plan.name}” doesn't open {label.name}. /doorman plan list shows what it opens.")
            if len(opened) == 1:
                raise Refusal("last_resource", f"{label.name} is all “{plan.name}” opens. Add another first, or archive the plan.")
            await plan_resources.remove(session, plan.id, resource.id)
            return await self._changed(
                session, plan, "plan.resource_removed", resource.id, Trail(self._ids, self._clock.now(), cause, actor)
            )

    async def _store(self, new: NewPlan, trail: Trail) -> tuple[PlanRow, PriceRow]:
        async with self._db.transaction() as session:
            known = await plans.by_name(session, new.community, new.name)
            if known is not None:
                return await self._go_on(session, known, new, trail)
            plan = _plan_row(new, trail)
            price = PriceRow(
                id=PriceId(self._ids.new()), community_id=new.community, plan_id=plan.id, stripe_account_id=plan.stripe_account_id,
                amount=new.price.minor, currency=new.price.currency,
            )  # fmt: skip
            session.add(plan)
            await session.flush()
            session.add(price)
            await self._open(session, plan, new)
            return plan, price

    async def _open(self, session: Session, plan: PlanRow, new: NewPlan) -> None:
        for label in new.resources:
            resource = await resources.ensure(session, new.community, new.space, label, self._ids)
            await plan_resources.add(session, new.community, plan.id, resource.id)

    async def _go_on(self, session: Session, known: PlanRow, new: NewPlan, trail: Trail) -> tuple[PlanRow, PriceRow]:
        """Finish a plan that a crash left half made, as it is asked for now; any other name twice is refused, and so is another price."""
        view = await plans.view(session, known)
        same = (view.price, view.interval, view.trial_days) == (new.price, new.interval, new.trial_days)
        if known.status != PlanStatus.CREATING or not same:
            raise Refusal("name_taken", f"There is a plan “{known.name}” already. Choose another name, or archive it first.")
        asked = _plan_row(new, trail)
        known.name, known.description = asked.name, asked.description
        session.add(known)
        for resource in await plan_resources.of_plan(session, known.id):
            await plan_resources.remove(session, known.id, resource)
        await self._open(session, known, new)
        return known, await session.get_one(PriceRow, view.price_id)

    async def _changed(self, session: Session, plan: PlanRow, action: str, resource: ResourceId, trail: Trail) -> PlanView:
        record(session, trail, plan.community_id, action, ("plan", plan.id), after={"resource": resource})
        for member in await plans.entitled(session, plan.id):
            await add_reconcile(session, trail, plan.community_id, member)
        await session.flush()
        return await plans.view(session, plan)

    async def _named(self, community: CommunityId, name: str) -> PlanRow:
        async with self._db.reading() as session:
            plan = await plans.by_name(session, community, name)
        if plan is None:
            raise Refusal("plan_unknown", f"There is no plan “{name[:LONGEST_NAME]}” here. /doorman plan list shows them all.")
        return plan


def _plan_row(new: NewPlan, trail: Trail) -> PlanRow:
    return PlanRow(
        id=PlanId(trail.ids.new()),
        community_id=new.community,
        name=" ".join(new.name.split()),
        name_key=plans.name_key(new.name),
        description=new.description.strip(),
        interval_unit=new.interval.unit,
        interval_count=new.interval.count,
        trial_days=new.trial_days,
        stripe_account_id=ENVIRONMENT,
        created_at=trail.at,
    )


def _check(new: NewPlan) -> None:
    name = " ".join(new.name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refusal("bad_name", f"A plan's name has 1 to {LONGEST_NAME} letters. Choose a shorter one, like Gold.")
    if len(new.description) > LONGEST_DESCRIPTION:
        raise Refusal("bad_description", f"The description is too long. Say it in {LONGEST_DESCRIPTION} letters or fewer.")
    check_chargeable(new.price)
    if not 0 <= new.trial_days <= LONGEST_TRIAL:
        raise Refusal("bad_trial", f"A trial lasts 1 to {LONGEST_TRIAL} days. Leave trial_days out for none.")
    if new.trial_days and not new.interval.recurring:
        raise Refusal("bad_trial", f"A trial needs a plan that renews. This one is paid {new.interval}: leave trial_days out.")
    if not new.resources:
        raise Refusal("no_resources", "A plan must open something. Choose a role for it.")
