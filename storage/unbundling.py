"""Taking a bundle in: first all of it is read and found whole, then its rows are written. Nothing but rows is written."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlmodel import SQLModel

from core.errors import Refusal
from storage.bundle import FORMAT, VERSION, columns, tables
from storage.communities import CommunityRow
from storage.database import Session
from storage.stripe_accounts import StripeAccountRow
from storage.tables import rows
from storage.upsert import AT_ONCE, insert, table

NOT_EMPTY = "This database has a community already, and a bundle goes into an empty one. Set DATABASE_URL to another."


def check(lines: Iterable[bytes]) -> int:
    """Read a bundle to its end and return how many rows it has. Refusals ``bundle_unknown``, ``bundle_newer``, ``bundle_broken``."""
    reading = iter(lines)
    first = next(reading, b"")
    _check_header(_read(first))
    seal, count, last = hashlib.sha256(first), 0, next(reading, b"")
    for line in reading:
        seal.update(last)
        count, last = count + 1, line
    match _read(last):
        case {"end": int(told), "sha256": str(sealed)}:
            if (told, sealed) != (count, seal.hexdigest()):
                raise broken("The bundle was changed after it was exported.")
        case _:
            raise broken("The bundle ends too early: part of it is missing.")
    return count


async def load(session: Session, lines: Iterable[bytes]) -> int:
    """Write the rows of a bundle that was checked, and return how many there were.

    Refusals ``not_empty``, ``bundle_newer``, ``bundle_broken``; IntegrityError when its rows do not fit together.
    """
    if (await session.execute(select(table(CommunityRow).c.id).limit(1))).first() is not None:
        raise Refusal("not_empty", NOT_EMPTY)
    classes = rows()
    known, count = {one.name: classes[one.name] for one in tables()}, 0
    waiting: list[dict[str, Any]] = []
    into: type[SQLModel] | None = None
    for line in lines:
        match _read(line):
            case {"table": str(name), "row": dict(row)}:
                if name not in known:
                    raise _newer(f"the table {name}")
                if into is not known[name] or len(waiting) >= AT_ONCE:
                    await _store(session, into, waiting)
                    into, waiting = known[name], []
                waiting.append(_values(known[name], row))
                count += 1
    await _store(session, into, waiting)
    return count


def broken(why: str) -> Refusal:
    """Return what to say of a bundle that is not as it was exported."""
    return Refusal("bundle_broken", f"{why} Nothing was taken in. Export it again.")


async def _store(session: Session, into: type[SQLModel] | None, waiting: list[dict[str, Any]]) -> None:
    if into is StripeAccountRow:  # the environment's account is there from the start
        for row in waiting:
            statement = insert(session, into).values(row)
            await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))
    elif into is not None:
        await session.execute(table(into).insert(), waiting)


def _values(into: type[SQLModel], row: dict[str, Any]) -> dict[str, Any]:
    """Return what is to be stored of a row: all of its columns, each of its type, what is missing by default."""
    named = [column.name for column in columns(table(into))]
    if unknown := sorted(row.keys() - set(named)):
        raise _newer(f"{unknown[0]} in {table(into).name}")
    try:
        checked = into.model_validate(row)
    except ValueError as error:
        raise broken(f"A row of {table(into).name} in the bundle cannot be read.") from error
    return {name: getattr(checked, name) for name in named}


def _check_header(header: object) -> None:
    match header:
        case {"format": str(name), "version": int(version)} if name == FORMAT:
            if version != VERSION:
                told = f"The bundle is of version {version}, and this program reads version {VERSION}."
                raise Refusal("bundle_newer", f"{told} Use the version of Doorman that wrote it, or a newer one.")
        case _:
            raise Refusal("bundle_unknown", "This file is not a bundle: doorman export FILE writes one.")


def _newer(what: str) -> Refusal:
    told = f"The bundle comes from a newer version of Doorman: it has {what}, which this one does not know."
    return Refusal("bundle_newer", f"{told} Nothing was taken in. Upgrade this one first.")


def _read(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:  # neither JSON nor text
        return None
