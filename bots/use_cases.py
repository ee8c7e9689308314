"""Every use case, built once, and which drain works off which lanes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from billing.catchup import CatchUp
from billing.checkout import Checkouts
from billing.inbox import StripeInbox
from billing.order import Orders
from billing.plan import Plans
from billing.refund import Payments
from billing.subscription import Subscriptions
from billing.tip import Tips
from bots.command_runner import CommandRunner
from bots.commands import COMMANDS
from bots.commands.call import Desk
from bots.event_runner import EventRunner
from bots.foundation import Foundation
from bots.worker import WorkDrain
from core.dispatch import Drain
from membership.community import Communities
from membership.drift import Drift
from membership.grant import GrantDrain
from membership.invite import Invites
from membership.member import Members
from membership.notice import Notices
from membership.reconcile import Reconciler
from membership.status import Statuses
from membership.sweep import Sweeper
from membership.unblock import Unblocker
from membership.work import OutboxDrain


@dataclass(frozen=True, slots=True)
class UseCases:
    """What pages, commands and jobs call."""

    communities: Communities
    plans: Plans
    invites: Invites
    checkouts: Checkouts
    statuses: Statuses
    tips: Tips
    catch_up: CatchUp
    sweeper: Sweeper
    drift: Drift
    unblocker: Unblocker
    drains: Mapping[str, Drain]
    """By what a lane's name begins with."""


def build_use_cases(base: Foundation) -> UseCases:
    """Build them all; nothing is opened and nothing is called."""
    settings, tools = base.configuration.settings, base.tools()
    grace = timedelta(days=settings.grace_days)
    subscriptions = Subscriptions(**tools, gateways=base.gateways, grace=grace)
    orders = Orders(**tools, gateways=base.gateways, subscriptions=subscriptions)
    tips = Tips(**tools, gateways=base.gateways, public_url=settings.public_url)
    payments = Payments(**tools, gateways=base.gateways, subscriptions=subscriptions, orders=orders, tips=tips)
    communities = Communities(**tools, default_currency=settings.default_currency)
    unblocker = Unblocker(**tools, adapters=base.adapters)
    desk = Desk(
        clock=base.clock,
        public_url=settings.public_url,
        grace_days=settings.grace_days,
        adapters=base.adapters,
        communities=communities,
        plans=Plans(**tools, gateways=base.gateways),
        invites=Invites(**tools, public_url=settings.public_url),
        statuses=Statuses(db=base.db, clock=base.clock),
        checkouts=Checkouts(**tools, gateways=base.gateways, public_url=settings.public_url),
        tips=tips,
    )
    stripe_inbox = StripeInbox(
        db=base.db,
        clock=base.clock,
        gateways=base.gateways,
        subscriptions=subscriptions,
        orders=orders,
        tips=tips,
        payments=payments,
        rng=base.rng,
    )
    grants = GrantDrain(**tools, adapters=base.adapters, credentials=base.credentials, rng=base.rng)
    return UseCases(
        communities=communities,
        plans=desk.plans,
        invites=desk.invites,
        checkouts=desk.checkouts,
        statuses=desk.statuses,
        tips=tips,
        catch_up=CatchUp(**tools, gateways=base.gateways, subscriptions=subscriptions, orders=orders),
        sweeper=Sweeper(**tools, gateways=base.gateways),
        drift=Drift(**tools, adapters=base.adapters),
        unblocker=unblocker,
        drains={"stripe": stripe_inbox.drain, "work": _work(base, desk, unblocker), **dict.fromkeys(base.adapters, grants.drain)},
    )


def _work(base: Foundation, desk: Desk, unblocker: Unblocker) -> Drain:
    public_url = base.configuration.settings.public_url
    outbox = OutboxDrain(
        db=base.db,
        clock=base.clock,
        reconciler=Reconciler(clock=base.clock, ids=base.ids),
        notices=Notices(db=base.db, adapters=base.adapters, public_url=public_url),
        rng=base.rng,
    )
    members = Members(**base.tools())
    return WorkDrain(
        db=base.db,
        clock=base.clock,
        commands=CommandRunner(db=base.db, desk=desk, commands=COMMANDS),
        events=EventRunner(communities=desk.communities, members=members, unblocker=unblocker),
        outbox=outbox.drain,
        unit=base.rng.random,
    ).drain
