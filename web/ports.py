"""What the pages ask of the use cases, as narrow as they ask it. The classes in billing and membership fit as they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.ids import CauseId, CommunityId, GiftId, OrderId, PlatformName, PriceId, TipId
from core.money import Money
from core.payments import Interval
from core.people import Identity
from core.platform import Installation, ResourceKind, Space


class InviteView(Protocol):
    """A paid invite link."""

    @property
    def code(self) -> str: ...
    @property
    def expires_at(self) -> datetime | None: ...


class ResourceView(Protocol):
    """One thing a plan opens."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> ResourceKind: ...
    @property
    def platform(self) -> PlatformName: ...
    @property
    def space_name(self) -> str: ...


class PriceView(Protocol):
    """One way to pay for it."""

    @property
    def id(self) -> PriceId: ...
    @property
    def money(self) -> Money: ...
    @property
    def interval(self) -> Interval: ...
    @property
    def floor(self) -> Money | None: ...


class PlanView(Protocol):
    """What is sold."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def price(self) -> Money: ...
    @property
    def interval(self) -> Interval: ...
    @property
    def trial_days(self) -> int: ...
    @property
    def trial_card(self) -> bool: ...
    @property
    def prices(self) -> Sequence[PriceView]: ...
    @property
    def seats_left(self) -> int | None: ...
    @property
    def approval(self) -> bool: ...
    @property
    def resources(self) -> Sequence[ResourceView]: ...


class Offer(Protocol):
    """What a link offers, and to whom when it is bound."""

    @property
    def invite(self) -> InviteView: ...
    @property
    def community_id(self) -> CommunityId: ...
    @property
    def community_name(self) -> str: ...
    @property
    def plan(self) -> PlanView: ...
    @property
    def platform(self) -> PlatformName: ...
    @property
    def bound(self) -> Identity | None: ...


class Invites(Protocol):
    """Paid invite links."""

    async def look(self, code: str) -> Offer:
        """Return what the link offers; Refusal when it is unknown, over or cannot be sold."""
        ...


class Started(Protocol):
    """A checkout that is open."""

    @property
    def url(self) -> str: ...


class Checkouts(Protocol):
    """Buying."""

    async def start(
        self, code: str, who: Identity, *, cause: CauseId, price: PriceId | None = None, amount: Money | None = None
    ) -> Started:
        """Open a checkout, or find the open one again; Refusal ``already_member`` among others."""
        ...

    async def portal(self, community: CommunityId, who: Identity, return_url: str) -> str:
        """Return the address where a member manages what they pay; Refusal ``no_customer``."""
        ...


class InLine(Protocol):
    """A place in the line for a seat."""

    @property
    def plan(self) -> str: ...
    @property
    def place(self) -> int: ...


class Waitlist(Protocol):
    """Lines for what is sold out."""

    async def join_through(self, code: str, who: Identity, *, cause: CauseId) -> InLine:
        """Put somebody in line for what a link sells; Refusal ``seats_free`` among others."""
        ...


class GiftView(Protocol):
    """A membership somebody gives."""

    @property
    def community_name(self) -> str: ...
    @property
    def plan_name(self) -> str: ...
    @property
    def giver(self) -> str: ...
    @property
    def lasts(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def platforms(self) -> Sequence[PlatformName]: ...


class Gifts(Protocol):
    """Memberships one pays for and another has."""

    async def look(self, code: str) -> GiftView:
        """Return a gift by its link's code; Refusal ``gift_unknown``."""
        ...

    async def given(self, gift: GiftId) -> GiftView:
        """Return a gift for its giver's page; Refusal ``gift_unknown``."""
        ...

    async def take(self, code_hash: str, who: Identity, *, cause: CauseId) -> GiftView:
        """Have a proven account take a gift; Refusals that say what to do."""
        ...


class WayIn(Protocol):
    """A space where a member has no account yet."""

    @property
    def platform(self) -> PlatformName: ...
    @property
    def space_name(self) -> str: ...
    @property
    def invite_link(self) -> str: ...


class Welcome(Protocol):
    """How an order stands, for whoever placed it."""

    @property
    def community_name(self) -> str: ...
    @property
    def plan_name(self) -> str: ...
    @property
    def paid(self) -> bool: ...
    @property
    def state(self) -> str: ...
    @property
    def inside(self) -> bool: ...
    @property
    def invite_url(self) -> str: ...
    @property
    def spaces(self) -> Sequence[tuple[PlatformName, Space]]: ...
    @property
    def waiting(self) -> str: ...
    @property
    def notices(self) -> Sequence[str]: ...
    @property
    def checkout_url(self) -> str: ...
    @property
    def invite_code(self) -> str: ...

    @property
    def payer(self) -> Identity: ...
    @property
    def ways(self) -> Sequence[WayIn]: ...


class Statuses(Protocol):
    """How things stand."""

    async def of_order(self, order: OrderId) -> Welcome:
        """Return how an order stands; Refusal ``order_unknown``."""
        ...


class TipView(Protocol):
    """A tip as its giver sees it."""

    @property
    def community_name(self) -> str: ...
    @property
    def amount(self) -> Money: ...
    @property
    def state(self) -> str: ...


class Tips(Protocol):
    """Thanks in money."""

    async def look(self, tip_id: TipId) -> TipView:
        """Return how a tip stands; Refusal ``tip_unknown``."""
        ...


class Installs(Protocol):
    """Spaces we are brought into from a page."""

    async def look(self, code: str) -> str:
        """Return what an attach code is known by from now on; Refusal ``attach_code_unknown``."""
        ...

    async def arrived(self, made: Installation, attach: str, *, cause: CauseId) -> str:
        """Make the space a community's, and return that community's name; Refusals of attaching."""
        ...


class LinkCode(Protocol):
    """What adds an account to a member, until when."""

    @property
    def code(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...


class Offered(Protocol):
    """Whose membership a code is of, and where an account can be added."""

    @property
    def community_name(self) -> str: ...
    @property
    def platform(self) -> PlatformName: ...
    @property
    def name(self) -> str: ...
    @property
    def ways(self) -> Sequence[tuple[PlatformName, str]]: ...


class Linked(Protocol):
    """An account that is linked now; ``waits_for`` names the one that is taken out first, if any."""

    @property
    def waits_for(self) -> str: ...


class Linking(Protocol):
    """One person, several accounts."""

    async def look(self, code: str) -> Offered:
        """Return what a code is of, without using it up; Refusal ``link_code_unknown``."""
        ...

    async def redeem_hashed(self, code: str, new: Identity, *, cause: CauseId) -> Linked:
        """Add a proven account to the member the code with this hash is of; Refusals that say what to do."""
        ...

    async def link(self, community: CommunityId, who: Identity, new: Identity, *, cause: CauseId) -> Linked:
        """Add a proven account to the member ``who`` is; Refusal ``not_member`` among others."""
        ...

    async def claim(self, order: OrderId, who: Identity, *, cause: CauseId) -> LinkCode:
        """Make a code for whoever placed an order, who is ``who``; Refusal ``order_unknown``."""
        ...

    async def link_order(self, order: OrderId, who: Identity, new: Identity, *, cause: CauseId) -> Linked:
        """Add a proven account to the member who placed an order, who is ``who``; Refusal ``order_unknown`` among others."""
        ...


class Webhooks(Protocol):
    """The processor's deliveries."""

    async def receive(self, path: str, body: bytes, signature: str | None) -> None:
        """Return once the delivery is durable. ``path`` names the endpoint, empty for the environment's."""
        ...
