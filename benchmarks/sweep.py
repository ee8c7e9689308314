"""How long a sweep takes over a million memberships, one in a hundred due, against the same effect as raw SQL.

    python -m benchmarks.sweep [--members 1000000] [--directory DIR] [--json]

The product's own sweep runs in a process of its own on SQLite (WAL, one writer, synchronous=FULL), in batches, each a transaction. The
raw way ends the same rows and writes the same audit, work and notices in four statements of one transaction, with the driver alone.
``ratio`` is the sweep's time over raw SQL's, both including their last commit; ``peak_mb`` is all the sweeping process ever held,
Python and libraries included; ``longest_transaction_ms`` is from asking for the writer until the commit is durable.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import create_engine

from core.dispatch import work_lane
from core.ids import CauseId, CommunityId, MemberId, RandomIds
from membership.sweep import Sweeper
from storage.database import Database, Session
from storage.engine import create_engines
from storage.overdue import SubscriptionRef
from storage.tables import metadata
from storage.vault import Vault

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DUE_ONE_IN = 100
COMMUNITIES = 100
CHUNK = 20_000
_ACCOUNT = {"id": "env", "kind": "env", "external_id": "", "livemode": False}
_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
_IDS = "INSERT INTO due SELECT id FROM entitlements WHERE state = 'active' AND source_kind <> 'subscription' AND expires_at <= :now"
_RAW = (
    "UPDATE entitlements SET state = 'ended', ended_at = :now, cause_id = 'raw' WHERE id IN (SELECT id FROM due)",
    """INSERT INTO audit (id, community_id, at, cause_id, actor, action, subject_kind, subject_id, member_id, before, after, answer)
       SELECT 'raw:audit:' || id, community_id, :now, 'raw', '', 'entitlement.changed', 'entitlement', id, member_id,
              '{"state": "active"}', '{"state": "ended"}', '' FROM entitlements WHERE id IN (SELECT id FROM due)""",
    """INSERT INTO outbox (id, community_id, kind, lane, subject, payload, dedupe, status, undelivered, created_at, due_at, attempts,
                           error, cause_id)
       SELECT 'raw:reconcile:' || id, community_id, 'reconcile', lane, member_id, '{}', NULL, 'pending', 0, :now, :now, 0, '', 'raw'
       FROM entitlements WHERE id IN (SELECT id FROM due)""",
    """INSERT INTO outbox (id, community_id, kind, lane, subject, payload, dedupe, status, undelivered, created_at, due_at, attempts,
                           error, cause_id)
       SELECT 'raw:notice:' || e.id, e.community_id, 'notice', e.lane, e.member_id,
              json_object('kind', 'ended', 'facts', json_object('plan', p.name, 'why', 'ended')), 'ended:raw:' || e.id, 'pending', 0,
              :now, :now, 0, '', 'raw'
       FROM entitlements e JOIN plans p ON p.id = e.plan_id WHERE e.id IN (SELECT id FROM due) AND NOT EXISTS (
           SELECT 1 FROM entitlements o WHERE o.member_id = e.member_id AND o.plan_id || '' = e.plan_id AND o.state = 'active')""",
)


class Standing:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW

    async def sleep_until(self, moment: datetime) -> None:
        assert moment <= NOW


class Timed(Database):
    """Remembers how long its longest transaction took, in seconds, and how many there were."""

    longest = 0.0
    transactions = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        began = perf_counter()
        async with super().transaction() as session:
            yield session
        self.longest = max(self.longest, perf_counter() - began)
        self.transactions += 1


async def nobody_to_ask(community: CommunityId, refs: Iterable[SubscriptionRef], *, cause: CauseId, dry_run: bool = False) -> Counter[str]:
    """Stand in for the processor: no subscription here is overdue."""
    raise AssertionError((community, list(refs), cause, dry_run))


async def sweep(file: Path) -> dict[str, float]:
    """Sweep the database at ``file`` in this process and measure it."""
    db = Timed(create_engines(f"sqlite:///{file}", Vault(["a benchmark keeps no secrets at all"])))
    try:
        began = perf_counter()
        report = await Sweeper(db=db, clock=Standing(), ids=RandomIds(), refetch=nobody_to_ask).run()
        took = perf_counter() - began
    finally:
        await db.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux
    return {
        "ended": report.counts.total(),
        "seconds": round(took, 3),
        "peak_mb": round(peak, 1),
        "longest_transaction_ms": round(db.longest * 1000, 1),
        "transactions": db.transactions,
    }


def raw(file: Path) -> dict[str, float]:
    """End the same rows with the driver alone, in one go."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.executescript(_PRAGMAS)
        connection.execute("CREATE TEMP TABLE due (id TEXT PRIMARY KEY)")
        moment = {"now": _text(NOW)}
        began = perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        ended = connection.execute(_IDS, moment).rowcount
        for statement in _RAW:
            connection.execute(statement, moment)
        connection.execute("COMMIT")
        return {"ended": ended, "seconds": round(perf_counter() - began, 3)}


def build(file: Path, members: int) -> None:
    """Fill a new database: communities with a plan, and members with an entitlement each, every hundredth due."""
    engine = create_engine(f"sqlite:///{file}")
    metadata().create_all(engine)
    engine.dispose()
    born = _text(NOW - timedelta(days=400))
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000; BEGIN")
        account = _ACCOUNT | {"created_at": born}
        connection.execute(_insert("stripe_accounts", account), account)
        for number in range(COMMUNITIES):
            community, plan = (row | {"created_at": born} for row in _tenant(number))
            connection.execute(_insert("communities", community), community)
            connection.execute(_insert("plans", plan), plan)
        for start in range(0, members, CHUNK):
            rows = [_member(number, born) for number in range(start, min(start + CHUNK, members))]
            people = [{"id": row["member_id"], "community_id": row["community_id"], "created_at": born} for row in rows]
            connection.executemany(_insert("members", people[0]), people)
            connection.executemany(_insert("entitlements", rows[0]), rows)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _insert(name: str, row: Mapping[str, object]) -> str:
    return f"INSERT INTO {name} ({', '.join(row)}) VALUES (:{', :'.join(row)})"  # noqa: S608 - names of our own tables


def _tenant(number: int) -> tuple[dict[str, object], dict[str, object]]:
    """One community and its plan."""
    community = {
        "id": f"community-{number:03}",
        "name": "Town",
        "currency": "USD",
        "notice_channel": "",
        "stopped_reason": "",
        "keep_refunded": False,
    }
    plan = {
        "id": f"plan-{number:03}", "community_id": community["id"], "name": "Gold", "name_key": "gold", "description": "",
        "interval_unit": "days", "interval_count": 30, "trial_days": 0, "status": "active", "stripe_account_id": "env",
        "stripe_product_id": "",
    }  # fmt: skip
    return dict(community), plan


def _member(number: int, born: str) -> dict[str, str]:
    """One membership: every hundredth is a pass that has run out; of the others half are passes, half subscriptions."""
    member = MemberId(f"member-{number * 7919 % 10_000_019:08}")  # spread like random ids, and the same in each run
    due = number % DUE_ONE_IN == 0
    home = (number // DUE_ONE_IN if due else number) % COMMUNITIES
    return {
        "id": f"entitlement-{member[7:]}", "community_id": f"community-{home:03}", "member_id": member, "lane": work_lane(member),
        "plan_id": f"plan-{home:03}", "source_kind": "pass" if due or number % 2 else "subscription", "source_id": f"source-{number}",
        "state": "active", "starts_at": born, "cause_id": "sale",
        "expires_at": _text(NOW - timedelta(seconds=number % 86_400) if due else NOW + timedelta(seconds=1 + number)),
    }  # fmt: skip


def _text(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def compare(members: int, directory: Path | None) -> dict[str, Any]:
    """Build one database, measure both ways on copies of it, each in a process of its own, and remove everything."""
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        file, copy = Path(folder) / "sweep.db", Path(folder) / "raw.db"
        _step("build", file, members)
        shutil.copyfile(file, copy)
        os.sync()  # or the first commit would pay for what was built
        ours, bare = _step("sweep", file, members), _step("raw", copy, members)
    if ours["ended"] != bare["ended"]:
        raise SystemExit(f"the sweep ended {ours['ended']} and raw SQL {bare['ended']}")
    return {"members": members, "sweep": ours, "raw": bare, "ratio": round(ours["seconds"] / bare["seconds"], 2)}


def _step(name: str, file: Path, members: int) -> dict[str, float]:
    """Run one step in a child, so that no step's memory or cache is another's."""
    command = [sys.executable, "-m", "benchmarks.sweep", "--members", str(members), "--step", name, str(file)]
    figures: dict[str, float] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)  # noqa: S603 - ourselves
    return figures


def _run(name: str, file: Path, members: int) -> dict[str, float]:
    match name:
        case "build":
            build(file, members)
            return {}
        case "raw":
            return raw(file)
        case _:
            return asyncio.run(sweep(file))


def _lines(result: dict[str, Any]) -> Iterator[str]:
    ours, bare = result["sweep"], result["raw"]
    yield f"{ours['ended']:,.0f} of {result['members']:,} memberships were due"
    longest = f"the longest {ours['longest_transaction_ms']:.1f} ms"
    yield f"sweep    {ours['seconds']:7.3f} s   {ours['transactions']:.0f} transactions, {longest}"
    yield f"raw SQL  {bare['seconds']:7.3f} s   1 transaction"
    yield f"ratio    {result['ratio']:7.2f}"
    yield f"memory   {ours['peak_mb']:7.1f} MB at most"


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description="A sweep over a million memberships on SQLite.")
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, help="where the database lies (a real disk, or fsync costs nothing)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.step:
        print(json.dumps(_run(wanted.step[0], Path(wanted.step[1]), wanted.members)))
        return
    result = compare(wanted.members, wanted.directory)
    print(json.dumps(result) if wanted.json else "\n".join(_lines(result)))


if __name__ == "__main__":
    main()
