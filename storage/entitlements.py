"""Why a member may be inside: one row per source."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint, bindparam, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.dispatch import Lane, work_lane
from core.entitlement import Reason
from core.ids import CauseId, CommunityId, EntitlementId, MemberId, PlanId, ResourceId
from storage.plan_resources import PlanResourceRow
from storage.types import UTCDateTime, owned, scoped


class SourceKind(StrEnum):
    """What an entitlement comes from."""

    SUBSCRIPTION = "subscription"
    PASS = "pass"  # noqa: S105
    GIFT = "gift"
    COMP = "comp"
    CREDIT = "credit"
    IMPORT = "import"


class EntitlementState(StrEnum):
    """Whether an entitlement opens anything now."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


_ACTIVE = text("state = 'active'")


def _lane(context: DefaultExecutionContext) -> Lane:
    return work_lane(MemberId(context.get_current_parameters()["member_id"]))  # type: ignore[no-untyped-call]


class EntitlementRow(SQLModel, table=True):
    """One reason for access; written by billing in the transaction of its source, only read by membership."""

    __tablename__ = "entitlements"
    __table_args__ = (
        owned("entitlements"),
        scoped("entitlements", "member_id", "members"),
        scoped("entitlements", "plan_id", "plans"),
        UniqueConstraint("source_kind", "source_id", name="uq_entitlements_source"),
        Index("ix_entitlements_due", "expires_at", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        Index("ix_entitlements_member_id", "member_id"),
        Index("ix_entitlements_plan_id", "plan_id"),
    )

    id: EntitlementId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    lane: Lane = Field(default=None, sa_type=Text, sa_column_kwargs={"default": _lane})
    """The member's work lane, filled in when the row is stored: a sweep ends thousands in one statement, and SQL cannot work it out."""
    plan_id: PlanId = Field(sa_type=Text)
    source_kind: SourceKind = Field(sa_type=Text)
    source_id: str
    state: EntitlementState = Field(default=EntitlementState.ACTIVE, sa_type=Text)
    starts_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When it ends by itself; None for life. A subscription's is its period's end and 72 hours, looked up again before it ends anything."""
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    cause_id: CauseId = Field(sa_type=Text)

    @property
    def facts(self) -> dict[str, Any]:
        """What the record says of it: whether it opens anything, what, and until when."""
        return {"state": str(self.state), "plan": self.plan_id, "until": self.expires_at.isoformat() if self.expires_at else None}


_BY_SOURCE = select(EntitlementRow).where(
    col(EntitlementRow.source_kind) == bindparam("kind"), EntitlementRow.source_id == bindparam("source")
)
_HELD = select(EntitlementRow).where(EntitlementRow.community_id == bindparam("community"), EntitlementRow.member_id == bindparam("member"))
_LIVE = _HELD.where(col(EntitlementRow.state) == EntitlementState.ACTIVE)
_NOT_OVER = _HELD.where(col(EntitlementRow.state) != EntitlementState.ENDED)
_ON_HOLD = _HELD.where(EntitlementRow.plan_id == bindparam("plan"), col(EntitlementRow.state) == EntitlementState.SUSPENDED).limit(1)
_LIVE_OF_PLAN = _LIVE.where(EntitlementRow.plan_id == bindparam("plan"))
_OF_PLAN = _HELD.where(EntitlementRow.plan_id == bindparam("plan"))
_REASONS = (
    select(EntitlementRow.id, PlanResourceRow.resource_id)
    .join(PlanResourceRow, col(PlanResourceRow.plan_id) == col(EntitlementRow.plan_id))
    .where(EntitlementRow.member_id == bindparam("member"), col(EntitlementRow.state) == EntitlementState.ACTIVE)
)


async def by_source(session: AsyncSession, kind: SourceKind, source_id: str) -> EntitlementRow | None:
    """Find the entitlement of a source."""
    return (await session.exec(_BY_SOURCE, params={"kind": kind, "source": source_id})).first()


async def live(session: AsyncSession, community: CommunityId, member: MemberId, plan: PlanId | None = None) -> Sequence[EntitlementRow]:
    """Return a member's active entitlements, of one plan or of all."""
    whose = {"community": community, "member": member}
    if plan is None:
        return (await session.exec(_LIVE, params=whose)).all()
    return (await session.exec(_LIVE_OF_PLAN, params={**whose, "plan": plan})).all()


async def not_over(session: AsyncSession, community: CommunityId, member: MemberId) -> Sequence[EntitlementRow]:
    """Return what a member has now, also what is suspended."""
    return (await session.exec(_NOT_OVER, params={"community": community, "member": member})).all()


async def on_hold(session: AsyncSession, community: CommunityId, member: MemberId, plan: PlanId) -> bool:
    """Say whether something of a member's for a plan is suspended."""
    return (await session.exec(_ON_HOLD, params={"community": community, "member": member, "plan": plan})).first() is not None


async def of_plan(session: AsyncSession, community: CommunityId, member: MemberId, plan: PlanId) -> Sequence[EntitlementRow]:
    """Return every entitlement a member has or had to a plan."""
    return (await session.exec(_OF_PLAN, params={"community": community, "member": member, "plan": plan})).all()


async def reasons(session: AsyncSession, member: MemberId) -> list[Reason]:
    """Return why a member may be inside: each active entitlement with what its plan opens."""
    opened: dict[str, set[ResourceId]] = {}
    for entitlement, resource in await session.exec(_REASONS, params={"member": member}):
        opened.setdefault(entitlement, set()).add(ResourceId(resource))
    return [Reason(source, frozenset(resources)) for source, resources in opened.items()]
