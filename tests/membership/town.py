"""A community with members in it, as rows: what it takes to have something fall due."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import SQLModel

from core.dispatch import platform_lane, work_lane
from core.ids import (
    AccountId,
    CauseId,
    CommunityId,
    EntitlementId,
    GrantId,
    MemberId,
    OrderId,
    PlanId,
    PlatformName,
    PlatformUserId,
    PriceId,
    ResourceId,
    SpaceId,
    SubscriptionId,
)
from core.payments import IntervalUnit
from core.platform import ResourceKind
from storage import stripe_accounts, webhook_endpoints
from storage.accounts import AccountRow
from storage.communities import CommunityRow
from storage.database import Database
from storage.entitlements import EntitlementRow, SourceKind
from storage.grants import Actual, GrantRow, GrantStatus
from storage.members import MemberRow
from storage.orders import OrderRow
from storage.plan_resources import PlanResourceRow
from storage.plans import PlanRow
from storage.prices import PriceRow
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.stripe_accounts import ENVIRONMENT
from storage.subscriptions import SubscriptionRow
from storage.tables import metadata
from storage.upsert import table
from tests.storage.rows import changed

PLATFORM = PlatformName("memory")
BORN = timedelta(days=100)
Rows = list[tuple[Any, ...]]


class Town:
    """One community ``name`` with two plans, ``gold`` and ``silver``; both open the role ``member``, gold the role ``vip`` too."""

    def __init__(self, db: Database, now: datetime, name: str = "town", platform: PlatformName = PLATFORM) -> None:
        self.db = db
        self.now = now
        self.born = now - BORN
        self.id = CommunityId(name)
        self.space = SpaceId(f"{name}-space")
        self.platform = platform
        self.gold = PlanId(f"{name}-gold")
        self.silver = PlanId(f"{name}-silver")
        self._numbers = 0

    async def build(self) -> None:
        """Store the community, its space, plans and what they open."""
        async with self.db.transaction() as session:
            await stripe_accounts.ensure_environment(session, self.born)
            await webhook_endpoints.ensure_environment(session, self.born)
        space = SpaceRow(
            id=self.space, community_id=self.id, platform=self.platform, external_id=self.space, name="Town", installer=PlatformUserId("1"),
            created_at=self.born,
        )  # fmt: skip
        await self.store([CommunityRow(id=self.id, name="Town", currency="USD", created_at=self.born), space])
        for role in ("member", "vip"):
            row = ResourceRow(
                id=self.role(role), community_id=self.id, space_id=self.space, kind=ResourceKind.ROLE, external_id=role, name=role
            )
            await self.store([row])
        for plan, roles in ((self.gold, ("member", "vip")), (self.silver, ("member",))):
            await self.store([
                PlanRow(id=plan, community_id=self.id, name=plan, name_key=plan, interval_unit=IntervalUnit.MONTH,
                        stripe_account_id=ENVIRONMENT, created_at=self.born),
                PriceRow(id=PriceId(plan), community_id=self.id, plan_id=plan, stripe_account_id=ENVIRONMENT,
                         stripe_price_id=f"price_{plan}", amount=999, currency="USD"),
                *(PlanResourceRow(plan_id=plan, resource_id=self.role(role), community_id=self.id) for role in roles),
            ])  # fmt: skip

    def role(self, name: str) -> ResourceId:
        return ResourceId(f"{self.id}-{name}")

    def name(self, what: str) -> str:
        self._numbers += 1
        return f"{self.id}-{what}-{self._numbers:05}"

    async def member(self) -> MemberId:
        return (await self.members(1))[0]

    async def members(self, number: int) -> list[MemberId]:
        """Store members with an account each, called as they are."""
        people = [MemberId(self.name("member")) for _ in range(number)]
        await self.store(MemberRow(id=who, community_id=self.id, created_at=self.born) for who in people)
        await self.store(
            AccountRow(id=AccountId(who), community_id=self.id, member_id=who, platform=self.platform,
                       external_id=PlatformUserId(who), name=who, created_at=self.born)
            for who in people
        )  # fmt: skip
        return people

    async def passes(self, people: Iterable[MemberId], until: datetime | None, plan: PlanId | None = None, **changes: Any) -> None:  # noqa: ANN401
        """Store a pass for each, and that they hold what it opens."""
        people = list(people)
        await self.entitle([(who, SourceKind.PASS, self.name("order"), until, plan or self.gold) for who in people], **changes)

    async def subscribe(self, people: Iterable[MemberId], until: datetime, plan: PlanId | None = None, **changes: Any) -> list[str]:  # noqa: ANN401
        """Store a subscription for each with access until ``until``; ``changes`` are of the subscription. Returns the processor's ids."""
        plan, rows = plan or self.gold, []
        for who in people:
            name = self.name("subscription")
            row = SubscriptionRow(
                id=SubscriptionId(name), community_id=self.id, member_id=who, plan_id=plan, stripe_account_id=ENVIRONMENT,
                stripe_subscription_id=f"sub_{name}", stripe_customer_id=f"cus_{who}", stripe_price_id=f"price_{plan}", status="active",
                started_at=self.born, period_end=until - timedelta(hours=72), fetched_at=self.born,
            )  # fmt: skip
            rows.append(changed(row, **changes))
        await self.store(rows)
        await self.entitle([(row.member_id, SourceKind.SUBSCRIPTION, row.id, until, plan) for row in rows])
        return [row.stripe_subscription_id for row in rows]

    async def entitle(self, wanted: list[tuple[MemberId, SourceKind, str, datetime | None, PlanId]], **changes: Any) -> None:  # noqa: ANN401
        rows = [
            EntitlementRow(
                id=EntitlementId(f"for-{source}"), community_id=self.id, member_id=who, lane=work_lane(who), plan_id=plan,
                source_kind=kind, source_id=source, starts_at=self.born, expires_at=until, cause_id=CauseId("sale"),
            )
            for who, kind, source, until, plan in wanted
        ]  # fmt: skip
        await self.store(changed(row, **changes) for row in rows)

    async def grant(self, people: Iterable[MemberId], role: str = "member", **changes: Any) -> list[GrantId]:  # noqa: ANN401
        """Store that each holds a role."""
        rows = [
            GrantRow(
                id=GrantId(self.name("grant")), community_id=self.id, member_id=who, account_id=AccountId(who), resource_id=self.role(role),
                lane=platform_lane(self.platform, ""), wanted=True, actual=Actual.GRANTED, status=GrantStatus.DONE, attempted=True,
                due_at=self.born, changed_at=self.born, cause_id=CauseId("sale"),
            )
            for who in people
        ]  # fmt: skip
        await self.store(changed(row, **changes) for row in rows)
        return [row.id for row in rows]

    async def order(self, who: MemberId, **changes: Any) -> OrderId:  # noqa: ANN401
        row = OrderRow(
            id=OrderId(self.name("order")), community_id=self.id, member_id=who, account_id=AccountId(who), plan_id=self.gold,
            price_id=PriceId(self.gold), stripe_account_id=ENVIRONMENT, created_at=self.born, expires_at=self.now,
        )  # fmt: skip
        await self.store([changed(row, **changes)])
        return row.id

    async def store(self, rows: Iterable[SQLModel]) -> None:
        """Insert rows, of one table or of several in the order given."""
        async with self.db.transaction() as session:
            waiting: list[SQLModel] = []
            for row in rows:
                if waiting and type(waiting[0]) is not type(row):
                    await session.execute(table(type(waiting[0])).insert(), [found.model_dump() for found in waiting])
                    waiting = []
                waiting.append(row)
            if waiting:
                await session.execute(table(type(waiting[0])).insert(), [found.model_dump() for found in waiting])


async def everything(db: Database) -> dict[str, Rows]:
    """Return every row of every table, to be compared."""
    async with db.reading() as session:
        return {name: sorted(map(tuple, (await session.execute(select(one))).all()), key=repr) for name, one in metadata().tables.items()}
