"""Every use case that pages, commands and drains call, built once."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from billing.application import Applications
from billing.cancelling import Cancellations
from billing.checkout import Checkouts
from billing.comp import Comps
from billing.coupon import Coupons
from billing.dispute import Disputes
from billing.gift import Gifts
from billing.giving import Extensions
from billing.giving_back import GivingBack
from billing.moving import Moves
from billing.order import Orders
from billing.pausing import Pauses
from billing.plan import Plans
from billing.plan_terms import PlanTerms
from billing.refund import Payments
from billing.subscription import Subscriptions
from billing.tip import Tips
from billing.waitlist import Waitlist
from bots.commands.call import Desk
from bots.foundation import Foundation
from membership.attachment import Attachments
from membership.community import Communities
from membership.health import Health
from membership.installation import Installs
from membership.invite import Invites
from membership.linking import Linking
from membership.member import Members
from membership.owner_task import OwnerTasks
from membership.progress import Progresses
from membership.space_link import SpaceLinks
from membership.status import Statuses
from membership.unblock import Unblocker
from membership.why import Whys


@dataclass(frozen=True, slots=True)
class UseCases:
    """``desk`` holds those that commands call, and the pages with them."""

    desk: Desk
    subscriptions: Subscriptions
    orders: Orders
    payments: Payments
    disputes: Disputes
    unblocker: Unblocker
    extensions: Extensions
    installs: Installs


def build_use_cases(base: Foundation) -> UseCases:
    """Build them all; nothing is opened and nothing is called."""
    settings, tools = base.configuration.settings, base.tools()
    subscriptions = Subscriptions(**tools, gateways=base.gateways, grace=timedelta(days=settings.grace_days))
    orders = Orders(**tools, gateways=base.gateways, subscriptions=subscriptions)
    tips = Tips(**tools, gateways=base.gateways, public_url=settings.public_url)
    moving: dict[str, Any] = {**tools, "gateways": base.gateways, "subscriptions": subscriptions}
    extensions = Extensions(**moving)
    gifts = Gifts(**tools, gateways=base.gateways, extensions=extensions, public_url=settings.public_url)
    payments = Payments(**tools, gateways=base.gateways, subscriptions=subscriptions, orders=orders, tips=tips, gifts=gifts)
    desk = Desk(
        clock=base.clock,
        public_url=settings.public_url,
        grace_days=settings.grace_days,
        adapters=base.adapters,
        members=Members(**tools),
        communities=Communities(**tools, default_currency=settings.default_currency),
        attachments=Attachments(**tools),
        linking=Linking(**tools),
        space_links=SpaceLinks(**tools),
        plans=Plans(**tools, gateways=base.gateways),
        invites=Invites(**tools, public_url=settings.public_url),
        statuses=Statuses(db=base.db, clock=base.clock),
        checkouts=Checkouts(**tools, gateways=base.gateways, public_url=settings.public_url),
        tips=tips,
        owner_tasks=OwnerTasks(db=base.db),
        progresses=Progresses(db=base.db, clock=base.clock),
        whys=Whys(db=base.db, adapters=base.adapters),
        health=Health(db=base.db, adapters=base.adapters),
        giving_back=GivingBack(**tools, gateways=base.gateways, subscriptions=subscriptions, payments=payments),
        plan_terms=PlanTerms(**tools, gateways=base.gateways),
        comps=Comps(**tools, extensions=extensions),
        coupons=Coupons(**tools, gateways=base.gateways),
        gifts=gifts,
        moves=Moves(**moving),
        pauses=Pauses(**moving),
        cancellations=Cancellations(**moving),
        waitlist=Waitlist(**tools),
        applications=Applications(**tools),
    )
    return UseCases(
        desk=desk,
        subscriptions=subscriptions,
        orders=orders,
        payments=payments,
        disputes=Disputes(**moving),
        unblocker=Unblocker(**tools, adapters=base.adapters),
        extensions=extensions,
        installs=Installs(communities=desk.communities, attachments=desk.attachments),
    )
