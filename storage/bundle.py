"""Everything that is a community's own, as lines that another database can take in. docs/bundle.md is its description."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, String, Table, and_, collate, exists, literal_column, or_, select, true, union

from core.ids import CommunityId
from storage.audit import AuditRow
from storage.causes import KEPT, CauseRow
from storage.communities import CommunityRow
from storage.database import Session
from storage.inbox import InboxRow
from storage.stripe_accounts import StripeAccountRow
from storage.tables import metadata
from storage.types import Encrypted
from storage.upsert import AT_ONCE, dialect_of, table

FORMAT, VERSION = "doorman bundle", 1
LEFT_OUT = MappingProxyType(
    {
        "browsers": "who is signed in",
        "credentials": "secrets",
        "inbox": "what is being worked on, with secrets",
        "lanes": "what is being worked on",
        "outbox": "what is being worked on: a message goes out from one installation, once",
        "rounds": "looked at again",
        "states": "who is signing in",
        "uninvited": "looked at again",
        "webhook_endpoints": "secrets",
    }
)
"""Tables that are not in a bundle, and why."""
_audit, _causes, _inbox = table(AuditRow), table(CauseRow), table(InboxRow)
_PLACE: dict[str, tuple[ColumnElement[Any], ...]] = {
    "sqlite": (literal_column("audit.rowid"),),
    "postgresql": (_audit.c.seq.nulls_first(), _audit.c.at, _audit.c.id),
}


def tables() -> list[Table]:
    """Return the tables of a bundle, those that others refer to first."""
    return [one for one in metadata().sorted_tables if one.name not in LEFT_OUT]


def columns(of: Table) -> list[Column[Any]]:
    """Return the columns of a table that are in a bundle, by name: no secret, and no number that a database counts by itself."""
    return sorted(
        (one for one in of.columns if not isinstance(one.type, Encrypted) and one is not _audit.c.seq), key=lambda column: column.name
    )


async def dump(session: Session, community: CommunityId | None = None) -> AsyncIterator[bytes]:
    """Yield the lines of a bundle, of one community or of all; the same rows give the same lines on every database."""
    seal, count = hashlib.sha256(), 0
    async for line in _lines(session, community):
        seal.update(line)
        count += 1
        yield line
    yield _line({"end": count - 1, "sha256": seal.hexdigest()})


async def _lines(session: Session, community: CommunityId | None) -> AsyncIterator[bytes]:
    yield _line({"format": FORMAT, "version": VERSION})
    for one in tables():
        result = await session.stream(_rows(one, community, dialect_of(session)), execution_options={"yield_per": AT_ONCE})
        async for row in result.mappings():
            yield _line({"table": one.name, "row": {name: _told(value) for name, value in row.items()}})


def _rows(of: Table, community: CommunityId | None, dialect: str) -> Select[Any]:
    named = columns(of)
    if of is _causes:
        return _with_deliveries(named, community, dialect)
    order = _PLACE[dialect] if of is _audit else tuple(_by_bytes(one, dialect) for one in of.primary_key.columns)
    return select(*named).where(_belongs(of, community)).order_by(*order)


def _by_bytes(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """Sort as SQLite does, whatever language a PostgreSQL database was made for."""
    return collate(column, "C") if dialect == "postgresql" and isinstance(column.type, String) else column


def _belongs(of: Table, community: CommunityId | None) -> ColumnElement[bool]:
    if community is None:
        return true()
    if of is table(CommunityRow):
        return of.c.id == community
    if of is table(StripeAccountRow):
        return or_(of.c.community_id == community, of.c.id.in_(_charged_through(community)))
    return of.c.community_id == community


def _charged_through(community: CommunityId) -> Select[Any]:
    """Return the processor's accounts that a community's rows name: the environment's is everybody's, and of no community."""
    naming = [one.c for one in tables() if "stripe_account_id" in one.c and "community_id" in one.c]
    found = union(*(select(of.stripe_account_id).where(of.community_id == community) for of in naming)).subquery()
    return select(found.c.stripe_account_id)


def _with_deliveries(named: list[Column[Any]], community: CommunityId | None, dialect: str) -> Select[Any]:
    """What set something off: what is remembered of it, and deliveries that are not forgotten yet, as they will be remembered."""
    remembered = select(*named).where(true() if community is None else _led_to_something(_causes, community))
    coming = select(*(KEPT[column.name].label(column.name) for column in named)).where(_led_to_something(_inbox, community))
    found = union(remembered, coming).subquery()
    return select(*found.c).order_by(_by_bytes(found.c.id, dialect))


def _led_to_something(delivery: Table, community: CommunityId | None) -> ColumnElement[bool]:
    mine = true() if community is None else _audit.c.community_id == community
    return exists().where(and_(_audit.c.cause_id == delivery.c.id, mine))


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _told(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
