"""What a command is given, and what it is: a spec and the function that answers it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from billing.application import Applications
from billing.cancelling import Cancellations
from billing.checkout import Checkouts
from billing.comp import Comps
from billing.coupon import Coupons
from billing.gift import Gifts
from billing.giving_back import GivingBack
from billing.moving import Moves
from billing.pausing import Pauses
from billing.plan import Plans
from billing.plan_terms import PlanTerms
from billing.tip import Tips
from billing.waitlist import Waitlist
from core.clock import Clock
from core.commands import CommandReply, CommandRequest, CommandSpec
from core.errors import Refusal
from core.ids import CauseId, PlatformName, PlatformUserId
from core.people import Identity
from core.platform import PlatformAdapter, Resource, ResourceKind, ResourceLabel, Space
from membership.attachment import Attachments
from membership.community import Communities, Home
from membership.health import Health
from membership.invite import Invites
from membership.linking import Linking
from membership.member import Members
from membership.owner_task import OwnerTasks
from membership.progress import Progresses
from membership.space_link import SpaceLinks
from membership.status import Statuses
from membership.why import Whys


@dataclass(frozen=True, slots=True)
class Desk:
    """The use cases that commands call."""

    clock: Clock
    public_url: str
    grace_days: int
    adapters: Mapping[PlatformName, PlatformAdapter]
    communities: Communities
    attachments: Attachments
    linking: Linking
    space_links: SpaceLinks
    members: Members
    plans: Plans
    invites: Invites
    statuses: Statuses
    checkouts: Checkouts
    tips: Tips
    owner_tasks: OwnerTasks
    progresses: Progresses
    whys: Whys
    health: Health
    giving_back: GivingBack
    plan_terms: PlanTerms
    comps: Comps
    coupons: Coupons
    gifts: Gifts
    moves: Moves
    pauses: Pauses
    cancellations: Cancellations
    waitlist: Waitlist
    applications: Applications


@dataclass(frozen=True, slots=True)
class Call:
    """One command as it was asked: who, where, with what. ``cause`` is the same when it is run again after a crash."""

    request: CommandRequest
    home: Home
    cause: CauseId

    @property
    def who(self) -> Identity:
        """The asker; the platform has proven who they are."""
        return Identity(self.request.platform, self.request.realm, self.request.user, self.request.user_name)

    @property
    def space(self) -> Space:
        """Where it was asked."""
        return self.home.space

    def text(self, name: str) -> str:
        """Return a text option without spaces around; empty when it was not given."""
        value = self.request.options.get(name)
        return "" if value is None else str(value).strip()

    def whole(self, name: str) -> int | None:
        """Return a whole number, or None when it was not given."""
        value = self.request.options.get(name)
        return None if value is None else int(value)

    def yes(self, name: str) -> bool:
        """Say whether a yes-or-no option was given and is yes."""
        return self.request.options.get(name) is True

    def flag(self, name: str) -> bool | None:
        """Return a yes-or-no option, or None when it was not given."""
        value = self.request.options.get(name)
        return None if value is None else value is True

    def label(self, external_id: str) -> str:
        """Return the name of a user, resource or channel among the options."""
        return self.request.labels.get(external_id, external_id)

    def person(self, name: str) -> Identity | None:
        """Return the person an option names, or None when it was not given."""
        user = self.text(name)
        return Identity(self.request.platform, self.request.realm, PlatformUserId(user), self.label(user)) if user else None

    def role(self, name: str) -> ResourceLabel:
        """Return the role an option names."""
        role = self.text(name)
        return ResourceLabel(Resource(self.space, ResourceKind.ROLE, role), self.label(role))


Run = Callable[[Desk, Call], Awaitable[CommandReply]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command. ``run`` parses, calls a use case and phrases the answer; it may raise Refusal and ExternalError."""

    spec: CommandSpec
    run: Run


def required(call: Call, name: str, ask: str) -> str:
    """Return a text option that must say something; Refusal ``missing_option`` with ``ask`` when it does not."""
    value = call.text(name)
    if not value:
        raise Refusal("missing_option", ask)
    return value
