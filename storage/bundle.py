"""Everything that is a community's own, as lines that another database can take in. docs/bundle.md is its description."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, and_, exists, literal_column, or_, select, true, union
from sqlmodel import SQLModel

from core.errors import Refusal
from core.ids import CommunityId
from storage.audit import AuditRow
from storage.causes import CauseRow
from storage.communities import CommunityRow
from storage.database import Session
from storage.inbox import InboxRow
from storage.stripe_accounts import StripeAccountRow
from storage.tables import metadata
from storage.types import Encrypted, UTCDateTime
from storage.upsert import dialect_of, insert, table

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
_AT_ONCE = 500
_audit, _causes, _inbox = table(AuditRow), table(CauseRow), table(InboxRow)
_PLACE = {"sqlite": (literal_column("audit.rowid"),), "postgresql": (_audit.c.seq.nulls_first(), _audit.c.at, _audit.c.id)}


def tables() -> list[Table]:
    """Return the tables of a bundle, those that others refer to first."""
    return [one for one in metadata().sorted_tables if one.name not in LEFT_OUT]


def columns(of: Table) -> list[Column[Any]]:
    """Return the columns of a table that are in a bundle, by name: no secret, and no number that a database counts by itself."""
    return sorted(
        (one for one in of.columns if not isinstance(one.type, Encrypted) and one is not _audit.c.seq), key=lambda column: column.name
    )


async def dump(session: Session, community: CommunityId | None = None) -> AsyncIterator[str]:
    """Yield the lines of a bundle, of one community or of all; the same rows give the same lines."""
    yield _line({"format": FORMAT, "version": VERSION})
    count = 0
    for one in tables():
        result = await session.stream(_rows(one, community, dialect_of(session)), execution_options={"yield_per": _AT_ONCE})
        async for row in result.mappings():
            count += 1
            yield _line({"table": one.name, "row": {name: _told(value) for name, value in row.items()}})
    yield _line({"end": count})


async def load(session: Session, lines: Iterable[str]) -> int:
    """Take a bundle in and return how many rows it had. Only rows are written.

    Refusals ``not_empty``, ``bundle_unknown``, ``bundle_newer``, ``bundle_broken``; IntegrityError when its rows do not fit together.
    """
    if (await session.execute(select(table(CommunityRow).c.id).limit(1))).first() is not None:
        raise Refusal("not_empty", "This database has a community already, and a bundle goes into an empty one. Set DATABASE_URL to another.")
    reading = iter(lines)
    _check(_read(next(reading, ""), 1))
    known, count = {one.name: one for one in tables()}, 0
    for number, line in enumerate(reading, 2):
        match _read(line, number):
            case {"end": int(told)} if told == count and next(reading, None) is None:
                return count
            case {"table": str(name), "row": dict(row)} if name in known:
                await _store(session, known[name], row, number)
                count += 1
            case _:
                raise _broken(number)
    raise Refusal("bundle_broken", "The bundle ends too early: part of it is missing. Nothing was taken in. Export it again.")


def _rows(of: Table, community: CommunityId | None, dialect: str) -> Select[Any]:
    named = columns(of)
    if of is _causes:
        return _with_deliveries(named, community)
    order = _PLACE[dialect] if of is _audit else tuple(of.primary_key.columns)
    return select(*named).where(_belongs(of, community)).order_by(*order)


def _belongs(of: Table, community: CommunityId | None) -> ColumnElement[bool]:
    if community is None:
        return true()
    if of is table(CommunityRow):
        return of.c.id == community
    if of is table(StripeAccountRow):
        return or_(of.c.community_id == community, of.c.community_id.is_(None))
    return of.c.community_id == community


def _with_deliveries(named: list[Column[Any]], community: CommunityId | None) -> Select[Any]:
    """What set something off: what is remembered of it, and deliveries that are not forgotten yet."""
    mine = true() if community is None else _audit.c.community_id == community
    queries = [
        select(*(source.c[column.name] for column in named)).where(known_of)
        for source, known_of in (
            (_causes, true() if community is None else exists().where(and_(_audit.c.cause_id == _causes.c.id, mine))),
            (_inbox, exists().where(and_(_audit.c.cause_id == _inbox.c.id, mine))),
        )
    ]
    found = union(*queries).subquery()
    return select(*found.c).order_by(found.c.id)


async def _store(session: Session, into: Table, row: Mapping[str, Any], number: int) -> None:
    named = {column.name: column for column in columns(into)}
    if unknown := sorted(row.keys() - named.keys()):
        raise Refusal("bundle_newer", f"Line {number} of the bundle has {unknown[0]}, which this version does not know. Upgrade Doorman first.")
    try:
        values = {name: _meant(named[name], value) for name, value in row.items()}
    except (TypeError, ValueError) as error:
        raise _broken(number) from error
    statement = insert(session, _CLASSES[into.name]).values(values)
    if into is table(StripeAccountRow):  # the environment's account is there from the start
        statement = statement.on_conflict_do_update(index_elements=["id"], set_=values)
    await session.execute(statement)


_CLASSES: dict[str, type[SQLModel]] = {
    str(one.class_.__tablename__): one.class_ for one in SQLModel._sa_registry.mappers  # noqa: SLF001 - SQLModel has no other list
}


def _check(header: object) -> None:
    match header:
        case {"format": str(name), "version": int(version)} if name == FORMAT:
            if version != VERSION:
                told = f"The bundle is of version {version}, and this program reads version {VERSION}."
                raise Refusal("bundle_newer", f"{told} Use the version of Doorman that wrote it, or a newer one.")
        case _:
            raise Refusal("bundle_unknown", "This file is not a bundle: doorman export FILE writes one.")


def _read(line: str, number: int) -> object:
    try:
        return json.loads(line)
    except ValueError as error:
        if number == 1:
            return None
        raise _broken(number) from error


def _broken(number: int) -> Refusal:
    return Refusal("bundle_broken", f"Line {number} of the bundle cannot be read. Nothing was taken in. Export it again.")


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def _told(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _meant(column: Column[Any], value: object) -> object:
    if isinstance(column.type, UTCDateTime) and value is not None:
        return datetime.fromisoformat(str(value))
    return value
