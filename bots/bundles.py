"""`doorman export` and `doorman import`: what is a community's own, into a file and out of it. No call goes out."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from bots.foundation import open_database, prepare
from bots.settings import Configuration
from core.clock import SystemClock
from core.errors import Refusal
from core.ids import CommunityId, RandomIds
from storage import bundle, communities, schema, unbundling
from storage.engine import missing

OWN = 0o600
"""A bundle names people: it is for its owner alone."""


async def export(configuration: Configuration, file: Path, community: str) -> int:
    """Write a bundle of one community, or of all, and return how many rows it has. Refusals ``unknown_community``, ``bad_file``."""
    if absent := missing(configuration.settings.database_url.get_secret_value()):
        raise schema.SchemaError(absent)
    async with open_database(configuration) as db:
        if not await schema.head(db.engines):
            raise schema.SchemaError("the database is not up to date; run: doorman migrate")
        async with db.reading() as session:
            if community and await communities.find(session, CommunityId(community)) is None:
                raise Refusal("unknown_community", f"There is no community {community}. doorman doctor names them.")
            return await _write(file, bundle.dump(session, CommunityId(community) or None))


async def take_in(configuration: Configuration, file: Path) -> int:
    """Read a bundle into an empty database, all of it or nothing, and return how many rows it had.

    Refusals ``bad_file``, ``not_empty``, ``bundle_unknown``, ``bundle_newer``, ``bundle_broken``.
    """
    try:
        lines = file.open("rb")
    except OSError as error:
        raise Refusal("bad_file", f"{file} cannot be read: {error.strerror}. Name a file that doorman export wrote.") from error
    with lines:
        unbundling.check(lines)
        lines.seek(0)
        async with open_database(configuration) as db:
            await prepare(db, SystemClock(), RandomIds(), migrate=configuration.settings.auto_migrate)
            try:
                async with db.transaction() as session:
                    return await unbundling.load(session, lines)
            except IntegrityError as error:
                raise unbundling.broken(f"The rows of {file} do not fit together.") from error


async def _write(file: Path, lines: AsyncIterator[bytes]) -> int:
    """Write beside the file and put it in its place when it is whole: whoever is stopped has the older one."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    count = -2  # its first line and its last are no rows
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWN), "wb") as writing:  # noqa: ASYNC230, PTH123 - as above; the mode from the start
            async for line in lines:
                writing.write(line)
                count += 1
            writing.flush()
            os.fsync(writing.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise Refusal("bad_file", f"{file} cannot be written: {error.strerror}. Name a file in a folder of yours.") from error
    return count
