"""What the pages call, played by hand: a platform, and the use cases with answers set by the test."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlencode

from core.commands import CommandReply, CommandRequest, CommandSpec, ReplyHandle
from core.errors import Refusal
from core.ids import CauseId, CommunityId, GiftId, OrderId, PlanId, PlatformName, PlatformUserId, PriceId, StripeAccountId, TipId
from core.money import Money
from core.payments import Interval, IntervalUnit
from core.people import Identity
from core.platform import (
    Destination,
    Inbound,
    Installation,
    LinkedAccount,
    Message,
    MessageRef,
    PlatformEvent,
    Resource,
    ResourceKind,
    ResourceLabel,
    Space,
)
from storage.plans import PlanStatus, PlanView, PriceView, ResourceView

COMMUNITY, FIVE_DOLLARS = CommunityId("community"), Money(500, "USD")
LODGE, HARBOUR = PlatformName("lodge"), PlatformName("harbour")
DEN = Space(LODGE, "", "den")
PIER = Space(HARBOUR, "pier", "pier")
ANN = Identity(LODGE, "", PlatformUserId("7"), "ann")
BEN = LinkedAccount(PlatformUserId("8"), "", "ben", "join-token-of-ben", datetime(2026, 11, 9, tzinfo=UTC))


class FakePlatform:
    """A platform whose people are known by the code they come back with."""

    name: ClassVar[PlatformName] = LODGE
    label: ClassVar[str] = "Lodge"
    resource_kinds: ClassVar[frozenset[ResourceKind]] = frozenset({ResourceKind.ROLE})
    connected = True
    strangers_sign_in: ClassVar[bool] = True

    def __init__(self, base: str = "https://lodge.example") -> None:
        self.base = base
        self.people: dict[str, LinkedAccount | Exception] = {"code-of-ben": BEN}
        self.exchanged: list[tuple[str, str]] = []

    def authorize_url(self, state: str, redirect_uri: str) -> str:
        return f"{self.base}/authorize?{urlencode({'state': state, 'redirect_uri': redirect_uri})}"

    async def exchange(self, code: str, redirect_uri: str) -> LinkedAccount:
        self.exchanged.append((code, redirect_uri))
        answer = self.people.get(code, Refusal("bad_code", "Lodge did not accept the sign-in. Open your link and try again."))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def space_url(self, space: Space) -> str:
        return f"https://lodge.example/spaces/{space.external_id}"

    async def start(self, inbound: Inbound) -> None: ...

    async def stop_listening(self) -> None: ...

    async def close(self) -> None: ...

    async def resources(self, space: Space) -> Sequence[ResourceLabel]:  # noqa: ARG002
        return ()

    async def check(self, resource: Resource) -> None: ...

    async def grant(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None: ...

    async def revoke(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None: ...

    async def holders(self, resource: Resource) -> AsyncIterator[PlatformUserId]:  # noqa: ARG002
        nobody: tuple[PlatformUserId, ...] = ()
        for user in nobody:
            yield user

    async def holds(self, space: Space, user: PlatformUserId) -> frozenset[Resource] | None:  # noqa: ARG002
        return None

    async def send(self, to: Destination, message: Message) -> MessageRef:  # noqa: ARG002
        return MessageRef(to, "1")

    async def edit(self, ref: MessageRef, message: Message) -> None: ...

    async def reply(self, handle: ReplyHandle, reply: CommandReply) -> None: ...

    async def display(self, user: PlatformUserId) -> str:
        return user


class HttpPlatform(FakePlatform):
    """A second platform, that also takes requests and is let in from a page."""

    name: ClassVar[PlatformName] = HARBOUR
    label: ClassVar[str] = "Harbour"

    def __init__(self) -> None:
        super().__init__("https://harbour.example")
        self.requests: list[tuple[str, str, str | None, bytes]] = []

    def install_url(self, state: str, redirect_uri: str) -> str:
        return f"{self.base}/install?{urlencode({'state': state, 'redirect_uri': redirect_uri})}"

    async def install(self, code: str, redirect_uri: str) -> Installation:
        assert redirect_uri.endswith("/harbour/oauth_redirect")
        if code != "let-in":
            raise Refusal("bad_code", "Harbour did not accept that. Open your link and try again.")
        return Installation(PIER, "The pier", PlatformUserId("skipper"))

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, inbound: Inbound
    ) -> tuple[int, Mapping[str, str], bytes]:
        assert inbound is not None
        self.requests.append((method, path, headers.get("x-signature"), body))
        return 202, {"Content-Type": "text/plain"}, b"taken"


class FakeInbound:
    """Takes in nothing."""

    commands: Sequence[CommandSpec] = ()

    async def on_command(self, request: CommandRequest) -> None: ...

    async def on_event(self, event: PlatformEvent) -> None: ...


@dataclass(frozen=True, slots=True)
class FakeInvite:
    code: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FakeOffer:
    invite: FakeInvite
    plan: PlanView
    community_id: CommunityId = COMMUNITY
    community_name: str = "Ann's den"
    platform: PlatformName = LODGE
    bound: Identity | None = None


def plan(*, name: str = "Gold", description: str = "", trial_days: int = 0, interval: IntervalUnit = IntervalUnit.MONTH) -> PlanView:
    gold = ResourceView("resource", "Gold", ResourceKind.ROLE, LODGE, "Ann's den", "")
    return PlanView(
        id=PlanId("plan"),
        community_id=COMMUNITY,
        name=name,
        description=description,
        price=Money(999, "USD"),
        price_id=PriceId("price"),
        stripe_price_id="price_1",
        stripe_account_id=StripeAccountId("env"),
        interval=Interval(interval),
        trial_days=trial_days,
        status=PlanStatus.ACTIVE,
        resources=(gold,),
        members=0,
        prices=(PriceView(PriceId("price"), Money(999, "USD"), Interval(interval)),),
    )


@dataclass(slots=True)
class FakeInvites:
    """Links by code; an unknown one is refused as the real ones refuse it."""

    links: dict[str, FakeOffer | Exception] = field(default_factory=dict)

    async def look(self, code: str) -> FakeOffer:
        found = self.links.get(code, Refusal("invite_unknown", "There is no such link. Check it letter by letter."))
        if isinstance(found, Exception):
            raise found
        return found

    def sell(self, code: str = "gold", **changes: object) -> None:
        self.links[code] = replace(FakeOffer(FakeInvite(code), plan()), **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class FakeStarted:
    url: str


@dataclass(slots=True)
class FakeCheckouts:
    """Remembers who started what; ``answer`` is where they are sent, or why not."""

    answer: str | Exception = "https://checkout.stripe.example/c/pay/cs_1"
    portal_answer: str | Exception = "https://billing.stripe.example/p/session/1"
    started: list[tuple[str, Identity]] = field(default_factory=list)
    chosen: list[tuple[PriceId | None, Money | None]] = field(default_factory=list)
    portals: list[tuple[CommunityId, Identity, str]] = field(default_factory=list)

    async def start(
        self, code: str, who: Identity, *, cause: CauseId, price: PriceId | None = None, amount: Money | None = None
    ) -> FakeStarted:
        assert cause
        self.chosen.append((price, amount))
        self.started.append((code, who))
        if isinstance(self.answer, Exception):
            raise self.answer
        return FakeStarted(self.answer)

    async def portal(self, community: CommunityId, who: Identity, return_url: str) -> str:
        self.portals.append((community, who, return_url))
        if isinstance(self.portal_answer, Exception):
            raise self.portal_answer
        return self.portal_answer


@dataclass(frozen=True, slots=True)
class FakeInLine:
    plan: str = "Gold"
    place: int = 3


@dataclass(slots=True)
class FakeWaitlist:
    """Remembers who got in line."""

    joined: list[tuple[str, Identity]] = field(default_factory=list)

    async def join_through(self, code: str, who: Identity, *, cause: CauseId) -> FakeInLine:
        assert cause
        self.joined.append((code, who))
        return FakeInLine()


@dataclass(frozen=True, slots=True)
class FakeGift:
    status: str = "paid"
    community_name: str = "Ann's den"
    plan_name: str = "Gold"
    giver: str = "Cleo"
    lasts: str = "for a month"
    platforms: Sequence[PlatformName] = (LODGE,)


@dataclass(slots=True)
class FakeGifts:
    """Gifts by code or id."""

    gifts: dict[str, FakeGift] = field(default_factory=dict)
    taken: list[tuple[str, Identity]] = field(default_factory=list)

    async def look(self, code: str) -> FakeGift:
        if code not in self.gifts:
            raise Refusal("gift_unknown", "There is no such gift. Check its link letter by letter.")
        return self.gifts[code]

    async def given(self, gift: GiftId) -> FakeGift:
        return await self.look(gift)

    async def take(self, code_hash: str, who: Identity, *, cause: CauseId) -> FakeGift:
        assert cause
        self.taken.append((code_hash, who))
        return FakeGift("taken")


@dataclass(frozen=True, slots=True)
class FakeWay:
    platform: PlatformName = LODGE
    space_name: str = "Ann's den"
    invite_link: str = ""


@dataclass(frozen=True, slots=True)
class FakeWelcome:
    community_name: str = "Ann's den"
    plan_name: str = "Gold"
    paid: bool = True
    state: str = "paid"
    inside: bool = False
    invite_url: str = ""
    spaces: Sequence[tuple[PlatformName, Space]] = ((LODGE, DEN),)
    waiting: str = ""
    notices: Sequence[str] = ()
    checkout_url: str = ""
    invite_code: str = "gold"
    payer: Identity = ANN
    ways: Sequence[FakeWay] = ()


@dataclass(slots=True)
class FakeStatuses:
    """Orders by id."""

    orders: dict[str, FakeWelcome | Exception] = field(default_factory=dict)

    async def of_order(self, order: OrderId) -> FakeWelcome:
        found = self.orders.get(order, Refusal("order_unknown", "There is no such order. Check the address."))
        if isinstance(found, Exception):
            raise found
        return found


@dataclass(frozen=True, slots=True)
class FakeTip:
    community_name: str = "Ann's den"
    amount: Money = FIVE_DOLLARS
    state: str = "paid"


@dataclass(slots=True)
class FakeTips:
    """Tips by id."""

    tips: dict[str, FakeTip] = field(default_factory=dict)

    async def look(self, tip_id: TipId) -> FakeTip:
        if tip_id not in self.tips:
            raise Refusal("tip_unknown", "There is no such tip. Check the address.")
        return self.tips[tip_id]


@dataclass(slots=True)
class FakeWebhooks:
    """Remembers deliveries; ``answer`` is raised instead when it is set."""

    received: list[tuple[str, bytes, str | None]] = field(default_factory=list)
    answer: Exception | None = None

    async def receive(self, path: str, body: bytes, signature: str | None) -> None:
        if self.answer is not None:
            raise self.answer
        self.received.append((path, body, signature))
