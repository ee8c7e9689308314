"""Which drain works off which lanes."""

from collections.abc import Mapping

from billing.inbox import StripeInbox
from bots.command_runner import CommandRunner
from bots.commands import COMMANDS
from bots.event_runner import EventRunner
from bots.foundation import Foundation
from bots.use_cases import UseCases
from bots.worker import InboundDrain
from core.dispatch import Drain
from membership.grant import GrantDrain
from membership.notice import Notices
from membership.reconcile import Reconciler
from membership.suggestion import Suggestions
from membership.work import OutboxDrain


def build_drains(base: Foundation, cases: UseCases) -> Mapping[str, Drain]:
    """Return each drain by what its lanes begin with: the processor's, members' work, what comes from platforms, what goes to each."""
    stripe_inbox = StripeInbox(
        db=base.db,
        clock=base.clock,
        gateways=base.gateways,
        subscriptions=cases.subscriptions,
        orders=cases.orders,
        tips=cases.desk.tips,
        gifts=cases.desk.gifts,
        payments=cases.payments,
        disputes=cases.disputes,
        rng=base.rng,
    )
    grants = GrantDrain(**base.tools(), adapters=base.adapters, credentials=base.credentials, rng=base.rng, restraint=base.restraint)
    return {
        "stripe": stripe_inbox.drain,
        "work": _work(base),
        "inbound": _inbound(base, cases),
        **dict.fromkeys(base.adapters, grants.drain),
    }


def _work(base: Foundation) -> Drain:
    return OutboxDrain(
        db=base.db,
        clock=base.clock,
        reconciler=Reconciler(clock=base.clock, ids=base.ids),
        notices=Notices(db=base.db, adapters=base.adapters, public_url=base.configuration.settings.public_url),
        rng=base.rng,
    ).drain


def _inbound(base: Foundation, cases: UseCases) -> Drain:
    return InboundDrain(
        db=base.db,
        clock=base.clock,
        commands=CommandRunner(db=base.db, desk=cases.desk, commands=COMMANDS),
        events=EventRunner(
            communities=cases.desk.communities,
            members=cases.desk.members,
            unblocker=cases.unblocker,
            links=cases.desk.space_links,
            suggestions=Suggestions(db=base.db, adapters=base.adapters, gateways=base.gateways, linking=cases.desk.linking),
        ),
        unit=base.rng.random,
    ).drain
