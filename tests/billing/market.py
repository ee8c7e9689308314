"""Selling against the emulated processor: a community with a space and a role, and the use cases that sell it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from billing.application import Applications
from billing.cancelling import Cancellations
from billing.checkout import Checkouts
from billing.comp import Comps
from billing.coupon import Coupons
from billing.gateways import Gateways
from billing.gift import Gifts
from billing.giving import Extensions
from billing.moving import Moves
from billing.order import Orders
from billing.pausing import Pauses
from billing.plan import NewPlan, Plans, parse_interval
from billing.plan_terms import PlanTerms
from billing.refund import Payments
from billing.stripe.accounts import GatewayPool
from billing.subscription import Subscriptions
from billing.tip import Tips
from billing.waitlist import Waitlist
from core.clock import Clock
from core.ids import CauseId, Ids, PlatformName, PlatformUserId, PriceId
from core.money import Money
from core.people import Identity
from core.platform import Resource, ResourceKind, ResourceLabel, Space
from membership.community import Communities, Home
from membership.invite import Invites
from sandbox.clock import VirtualClock
from sandbox.stripe.emulator import StripeEmulator
from sandbox.stripe.people import StripePeople
from storage import stripe_accounts
from storage.database import Database
from storage.plans import PlanView

DEN = Space(PlatformName("den"), "", "100")
ANN = Identity(DEN.platform, "", PlatformUserId("1"), "Ann")
BEN = Identity(DEN.platform, "", PlatformUserId("2"), "Ben")
CLEO = Identity(DEN.platform, "", PlatformUserId("3"), "Cleo")
URL = "http://127.0.0.1:1"


def role(name: str) -> ResourceLabel:
    """Return a role of the den."""
    return ResourceLabel(Resource(DEN, ResourceKind.ROLE, f"role-{name}"), name)


@dataclass
class Market:
    """Everything that sells, and the processor's own state."""

    db: Database
    clock: VirtualClock
    ids: Ids
    stripe: StripeEmulator
    cashiers: StripePeople
    communities: Communities
    plans: Plans
    invites: Invites
    checkouts: Checkouts
    orders: Orders
    subscriptions: Subscriptions
    payments: Payments
    tips: Tips
    gifts: Gifts
    extensions: Extensions
    plan_terms: PlanTerms
    comps: Comps
    coupons: Coupons
    moves: Moves
    pauses: Pauses
    cancellations: Cancellations
    waitlist: Waitlist
    applications: Applications
    gateways: Gateways
    home: Home

    def cause(self) -> CauseId:
        """Return a new cause."""
        return CauseId(self.ids.new())

    def asked(self, **changed: object) -> NewPlan:
        """Return what a creator asks for, with some of it changed."""
        plan = NewPlan(
            self.home.community_id,
            self.home.space_id,
            "Gold",
            Money(999, "USD"),
            parse_interval("month"),
            0,
            "Every recipe.",
            (role("Gold"),),
        )
        return replace(plan, **changed)  # type: ignore[arg-type]

    async def plan(self, **changed: object) -> PlanView:
        """Make a plan."""
        return await self.plans.create(self.asked(**changed), actor="den:1", cause=self.cause())

    async def link(self, plan: str = "Gold", **terms: object) -> str:
        """Make a link and return its code."""
        made = await self.invites.create(self.home.community_id, plan, actor="den:1", cause=self.cause(), **terms)  # type: ignore[arg-type]
        return made.code

    async def buy(
        self,
        code: str,
        who: Identity,
        card: str = "4242424242424242",
        price: PriceId | None = None,
        amount: Money | None = None,
        **typed: str,
    ) -> str:
        """Pay through a link, have the outcome settled, and return the order's id."""
        started = await self.checkouts.start(code, who, cause=self.cause(), price=price, amount=amount)
        await self.cashiers.pay(started.url, card, **typed)
        await self.settle(started.order_id)
        return started.order_id

    async def settle(self, order: str) -> None:
        """Look at the order's checkout, as the webhook would have it."""
        gateway = await self.gateways.of(stripe_accounts.ENVIRONMENT)
        session = next(row for row in self.stripe.account.table("checkout.session").rows if row["client_reference_id"] == order)
        await self.orders.settle(stripe_accounts.ENVIRONMENT, await gateway.checkout(session.id), cause=self.cause())


@asynccontextmanager
async def open_market(db: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Market]:
    """Start the processor and found the community."""
    async with db.transaction() as session:
        await stripe_accounts.ensure_environment(session, clock.now())
    communities = Communities(db=db, clock=clock, ids=ids)
    await communities.space_added(DEN, "Ann's Den", ANN.user, cause=CauseId(ids.new()))
    stripe = StripeEmulator(clock)
    async with stripe.serve() as url, stripe.people() as cashiers, GatewayPool(clock, api_url=url) as pool:
        gateways = Gateways(db=db, pool=pool, environment_keys=[stripe.api_key])
        yield _market(db, clock, ids, stripe, cashiers, gateways, communities, await communities.of_space(DEN))


def _market(
    db: Database,
    clock: VirtualClock,
    ids: Ids,
    stripe: StripeEmulator,
    cashiers: StripePeople,
    gateways: Gateways,
    communities: Communities,
    home: Home,
) -> Market:
    tools: dict[str, Database | Clock | Ids | Gateways] = {"db": db, "clock": clock, "ids": ids, "gateways": gateways}
    subscriptions = Subscriptions(**tools, grace=timedelta(days=5))  # type: ignore[arg-type]
    orders = Orders(**tools, subscriptions=subscriptions)  # type: ignore[arg-type]
    tips = Tips(**tools, public_url=URL)  # type: ignore[arg-type]
    moving: dict[str, Any] = {**tools, "subscriptions": subscriptions}
    own: dict[str, Any] = {"db": db, "clock": clock, "ids": ids}
    extensions = Extensions(**moving)
    gifts = Gifts(**tools, extensions=extensions, public_url=URL)  # type: ignore[arg-type]
    return Market(
        db=db,
        clock=clock,
        ids=ids,
        stripe=stripe,
        cashiers=cashiers,
        communities=communities,
        plans=Plans(**tools),  # type: ignore[arg-type]
        invites=Invites(db=db, clock=clock, ids=ids, public_url=URL),
        checkouts=Checkouts(**tools, public_url=URL),  # type: ignore[arg-type]
        orders=orders,
        subscriptions=subscriptions,
        payments=Payments(**tools, subscriptions=subscriptions, orders=orders, tips=tips, gifts=gifts),  # type: ignore[arg-type]
        tips=tips,
        gifts=gifts,
        extensions=extensions,
        plan_terms=PlanTerms(**tools),  # type: ignore[arg-type]
        comps=Comps(**own, extensions=extensions),
        coupons=Coupons(**tools),  # type: ignore[arg-type]
        moves=Moves(**moving),
        pauses=Pauses(**moving),
        cancellations=Cancellations(**moving),
        waitlist=Waitlist(**own),
        applications=Applications(**own),
        gateways=gateways,
        home=home,
    )
