"""Out of one database and into another, and the same again."""

import hashlib
import json
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from core.errors import Refusal
from core.ids import CauseId, CommunityId, MemberId, SpaceId, StripeAccountId, TipId
from storage import bundle, unbundling
from storage.audit import AuditRow
from storage.database import Database, Session
from storage.members import MemberRow
from storage.plans import PlanRow
from storage.stripe_accounts import ENVIRONMENT, StripeAccountKind, StripeAccountRow
from storage.tables import metadata
from storage.tips import TipRow
from storage.types import Encrypted
from storage.upsert import table
from tests.storage.rows import AT, SECRET, everything, store

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants it bare
FACTS = st.dictionaries(WORDS, st.recursive(st.none() | st.booleans() | st.integers(-(10**9), 10**9) | WORDS, st.lists, max_leaves=4))
HEADER = b'{"format":"doorman bundle","version":1}\n'
COMMUNITY = b'{"row":{"created_at":"2026-11-02T09:00:00+00:00","currency":"USD","id":"a","name":"A"},"table":"communities"}\n'
STRAY = b'{"row":{"community_id":"nobody","created_at":"2026-11-02T09:00:00+00:00","id":"m"},"table":"members"}\n'


class Undone(Exception):  # noqa: N818 - nobody erred
    """Takes back what a transaction did."""


async def lines_of(session: Session, community: str = "") -> list[bytes]:
    return [line async for line in bundle.dump(session, CommunityId(community) or None)]


async def exported(db: Database, community: str = "") -> list[bytes]:
    async with db.reading() as session:
        return await lines_of(session, community)


async def taken_in(db: Database, lines: Sequence[bytes]) -> int:
    unbundling.check(lines)
    async with db.transaction() as session:
        return await unbundling.load(session, lines)


async def undone(db: Database, work: Callable[[Session], Coroutine[Any, Any, list[bytes]]]) -> list[bytes]:
    """Return what comes of work in a database that is as empty afterwards as before."""
    lines: list[bytes] = []
    with suppress(Undone):
        async with db.transaction() as session:
            lines = await work(session)
            raise Undone
    return lines


async def through(db: Database, lines: Sequence[bytes]) -> list[bytes]:
    """Take a bundle in, and return it as it comes out again."""
    unbundling.check(lines)

    async def in_and_out(session: Session) -> list[bytes]:
        await unbundling.load(session, lines)
        return await lines_of(session)

    return await undone(db, in_and_out)


@st.composite
def made_up(draw: st.DrawFn) -> list[SQLModel]:
    """A community with a row in every table, and tips, people and a record with whatever people type."""
    found, den = everything("a"), CommunityId("a")
    found += [MemberRow(id=MemberId(name), community_id=den, created_at=draw(MOMENTS)) for name in draw(st.sets(WORDS, max_size=4))]
    for number in range(draw(st.integers(0, 3))):
        found.append(TipRow(
            id=TipId(f"tip{number}{draw(WORDS)}"), community_id=den, member_id=MemberId("a-member"), space_id=SpaceId("a-space"),
            amount=draw(st.integers(1, 2**53)), currency="USD", message=draw(WORDS), anonymous=draw(st.booleans()),
            stripe_account_id=StripeAccountId("a-stripe"), created_at=draw(MOMENTS), expires_at=AT))  # fmt: skip
    for name in draw(st.lists(WORDS, max_size=5, unique=True)):  # in any order: the record stays as it was written
        found.append(AuditRow(
            id=f"audit-{name}", community_id=den, at=AT, cause_id=CauseId("a-cause"), action="plan.changed", subject_kind="plan",
            subject_id="a-plan", before=draw(FACTS), after=draw(FACTS), answer=draw(WORDS)))  # fmt: skip
    return found


@settings(max_examples=5, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=made_up())
async def test_a_bundle_comes_out_of_every_database_as_it_went_in(
    rows: list[SQLModel], sqlite_database: Database, postgres_database: Database
) -> None:
    async def written(session: Session) -> list[bytes]:
        for row in rows:
            await session.execute(table(type(row)).insert().values(row.model_dump(exclude={"seq"})))
        return await lines_of(session)

    lines = await undone(sqlite_database, written)
    record = [json.loads(line)["row"]["id"] for line in lines if b'"table":"audit"}' in line]
    assert record == [row.id for row in rows if isinstance(row, AuditRow)], "the record stays in the order it was written in"
    assert await undone(postgres_database, written) == lines
    assert await through(postgres_database, lines) == lines
    assert await through(sqlite_database, lines) == lines


async def test_every_table_is_in_it_or_said_to_be_left_out_and_no_secret_is(database: Database) -> None:
    await store(database, everything("a"))
    lines = await exported(database)
    assert {json.loads(line)["table"] for line in lines[1:-1]} == {one.name for one in bundle.tables()}
    assert {one.name for one in bundle.tables()} | set(bundle.LEFT_OUT) == set(metadata().tables)
    assert SECRET not in b"".join(lines).decode()
    assert not [column for one in bundle.tables() for column in bundle.columns(one) if isinstance(column.type, Encrypted)]


async def test_a_bundle_of_one_community_has_nothing_of_another(database: Database) -> None:
    shared = [
        StripeAccountRow(id=ENVIRONMENT, kind=StripeAccountKind.ENV, created_at=AT),
        StripeAccountRow(id=StripeAccountId("another"), kind=StripeAccountKind.CONNECT, created_at=AT),
    ]
    await store(database, [*shared, *everything("a"), *everything("b")])
    lines = await exported(database, "a")
    ids = [json.loads(line)["row"].get("id", "a-") for line in lines[1:-1]]
    assert ids.count("a") == 1
    assert all(one == "a" or one.startswith("a-") for one in ids)


async def test_the_account_everybody_is_charged_through_comes_along_where_a_community_uses_it(database: Database) -> None:
    theirs = everything("a")
    for row in theirs:
        if isinstance(row, PlanRow):
            row.stripe_account_id = ENVIRONMENT
    await store(database, [StripeAccountRow(id=ENVIRONMENT, kind=StripeAccountKind.ENV, created_at=AT), *theirs])
    accounts = [line for line in await exported(database, "a") if b'"table":"stripe_accounts"' in line]
    assert [json.loads(line)["row"]["id"] for line in accounts] == ["a-stripe", ENVIRONMENT]


async def test_a_database_that_is_not_empty_takes_nothing_in(sqlite_database: Database) -> None:
    await store(sqlite_database, everything("a"))
    lines = await exported(sqlite_database)
    with pytest.raises(Refusal, match="a bundle goes into an empty one"):
        await taken_in(sqlite_database, lines)
    assert await exported(sqlite_database) == lines


def sealed(*lines: bytes) -> list[bytes]:
    """Return lines with an end that fits them, as another version would have written it."""
    end = {"end": len(lines) - 1, "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}
    return [*lines, json.dumps(end).encode()]


@pytest.mark.parametrize(
    ("lines", "code", "told"),
    [
        ([], "bundle_unknown", "not a bundle"),
        ([b"id,name\n", b"1,Ann\n"], "bundle_unknown", "not a bundle"),
        ([b"\x89PNG\r\n"], "bundle_unknown", "not a bundle"),
        ([HEADER], "bundle_broken", "part of it is missing"),
        ([HEADER, COMMUNITY], "bundle_broken", "part of it is missing"),
        ([HEADER, COMMUNITY[:40]], "bundle_broken", "part of it is missing"),
        (sealed(HEADER, COMMUNITY)[::2], "bundle_broken", "was changed"),
        ([line.replace(b'"A"', b'"B"') for line in sealed(HEADER, COMMUNITY)], "bundle_broken", "was changed"),
        (sealed(HEADER.replace(b"1", b"2"), COMMUNITY), "bundle_newer", "is of version 2, and this program reads version 1"),
        (sealed(HEADER, COMMUNITY.replace(b"communities", b"guilds")), "bundle_newer", "newer version of Doorman: it has the table guilds"),
        (sealed(HEADER, COMMUNITY.replace(b"currency", b"purse")), "bundle_newer", "newer version of Doorman: it has purse in communities"),
        (sealed(HEADER, COMMUNITY.replace(b'"USD"', b"3")), "bundle_broken", "A row of communities in the bundle cannot be read"),
        (sealed(HEADER, COMMUNITY.replace(b'"currency":"USD",', b"")), "bundle_broken", "A row of communities"),
    ],
)
async def test_a_file_that_is_no_whole_bundle_is_one_sentence_and_changes_nothing(
    sqlite_database: Database, lines: list[bytes], code: str, told: str
) -> None:
    with pytest.raises(Refusal, match=told) as refused:
        await taken_in(sqlite_database, lines)
    assert refused.value.code == code
    assert len(await exported(sqlite_database)) == 2


async def test_rows_that_do_not_fit_together_are_not_taken_in(sqlite_database: Database) -> None:
    with pytest.raises(IntegrityError):
        await taken_in(sqlite_database, sealed(HEADER, COMMUNITY, STRAY))
    assert len(await exported(sqlite_database)) == 2


async def test_what_an_older_bundle_does_not_have_takes_its_default(sqlite_database: Database) -> None:
    assert await taken_in(sqlite_database, sealed(HEADER, COMMUNITY)) == 1
    assert b'"stopped_reason":""' in (await exported(sqlite_database))[1]
