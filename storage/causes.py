"""What is left of a delivery once its row has had its time: enough to say, years later, what set a change off."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Integer, Text, bindparam, case, exists, insert, select
from sqlmodel import Field, SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CauseId
from storage import inbox
from storage.audit import AuditRow
from storage.inbox import InboxKind, InboxRow
from storage.types import UTCDateTime, inline
from storage.upsert import table


class CauseRow(SQLModel, table=True):
    """A delivery without what it said: of what came in, only what something followed from is kept."""

    __tablename__ = "causes"

    id: CauseId = Field(sa_type=Text, primary_key=True)
    kind: InboxKind = Field(sa_type=Text)
    source: str
    event_id: str
    type: str
    object_id: str
    received_at: datetime = Field(sa_type=UTCDateTime)


_COLUMNS = tuple(CauseRow.model_fields)
_in = table(InboxRow).c
_LEAVING = (
    select(_in.id)
    .where(inbox.purge.which, _in.received_at < bindparam("before"))
    .order_by(_in.received_at)
    .limit(bindparam("limit", type_=Integer))
)
KEPT = {**{name: _in[name] for name in _COLUMNS}, "event_id": case((_in.kind == inline(InboxKind.COMMAND), ""), else_=_in.event_id)}
"""What is kept of each column: a command's id opens forms for a moment on some platforms, and nobody ever asks for it again."""
_REMEMBER = insert(table(CauseRow)).from_select(
    list(_COLUMNS),
    select(*KEPT.values())
    .where(_in.id.in_(_LEAVING))
    .where(exists().where(table(AuditRow).c.cause_id == _in.id))
    .where(~exists().where(table(CauseRow).c.id == _in.id)),
)


class Forgetting:
    """Deletes deliveries as :data:`storage.inbox.purge` does, and keeps what set something off."""

    async def __call__(self, session: AsyncSession, before: datetime, limit: int) -> int:
        """Delete up to ``limit`` deliveries, oldest first, that came in before ``before``, and return how many there were."""
        await session.execute(_REMEMBER, {"before": before, "limit": limit})
        return await inbox.purge(session, before, limit)

    async def any(self, session: AsyncSession, before: datetime) -> bool:
        """Say whether anything would be deleted."""
        return await inbox.purge.any(session, before)

    async def count(self, session: AsyncSession, before: datetime) -> int:
        """Count what would be deleted in the end."""
        return await inbox.purge.count(session, before)


async def of(session: AsyncSession, causes: Collection[CauseId]) -> dict[CauseId, CauseRow]:
    """Return what came in behind each cause, as far as it came in at all."""
    wanted = {CauseId(cause.partition(":")[0]) for cause in causes}  # a step of a cause carries its id and a word of its own
    found = {row.id: row for row in (await session.execute(select(CauseRow).where(col(CauseRow.id).in_(wanted)))).scalars()}
    for row in (await session.execute(select(*(_in[name] for name in _COLUMNS)).where(_in.id.in_(wanted)))).all():
        found[CauseId(row.id)] = CauseRow(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return {cause: found[CauseId(head)] for cause in causes if (head := cause.partition(":")[0]) in found}
