"""How many webhooks a second become durable on SQLite: one ORM transaction each, or the inbox's group commit.

    python -m benchmarks.group_commit [--events 4000] [--clients 64] [--directory DIR] [--json]

Both ways store the product's own inbox rows through its own database (WAL, one writer, synchronous=FULL) and answer a
request only after its commit. The clients are closed-loop: each sends its next event when the last one was answered.
``ratio`` is group commit's throughput over the other's.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from core.dispatch import Lane
from storage.database import Database
from storage.engine import create_engines
from storage.inbox import GroupCommit, InboxKind, InboxRow
from storage.upsert import table
from storage.vault import Vault

BODY = b'{"id": "evt_0", "type": "invoice.paid"}'.ljust(3072)
"""About the size of an event with one invoice in it."""
RECEIVED = datetime(2026, 11, 1, tzinfo=UTC)
Store = Callable[[InboxRow], Awaitable[object]]


def delivery(name: str) -> InboxRow:
    """Return the inbox row of the event ``name``."""
    return InboxRow(
        id=name,
        kind=InboxKind.STRIPE,
        source="stripe:benchmark",
        event_id=name,
        type="invoice.paid",
        object_id=name,
        lane=Lane("stripe:benchmark"),
        payload=BODY,
        received_at=RECEIVED,
        due_at=RECEIVED,
    )


@asynccontextmanager
async def database(file: Path) -> AsyncIterator[Database]:
    """Open a fresh database at ``file`` with an inbox in it."""
    db = Database(create_engines(f"sqlite:///{file}", Vault(["a benchmark keeps no secrets at all"])))
    try:
        async with db.engines.writer.begin() as connection:
            await connection.run_sync(table(InboxRow).create)
        yield db
    finally:
        await db.close()


async def load(store: Store, prefix: str, events: int, clients: int) -> dict[str, float]:
    """Send ``events`` events from ``clients`` clients; return events a second and latencies in milliseconds."""
    numbers = iter(range(events))
    waits: list[float] = []

    async def client() -> None:
        for number in numbers:
            row = delivery(f"evt_{prefix}_{number:09}")
            sent = perf_counter()
            await store(row)
            waits.append((perf_counter() - sent) * 1000)

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    took = perf_counter() - began
    cuts = statistics.quantiles(waits, n=100)
    return {"events_per_second": round(events / took), "median_ms": round(cuts[49], 2), "p99_ms": round(cuts[98], 2)}


async def one_by_one(file: Path, events: int, clients: int) -> dict[str, float]:
    """Measure a session, an ORM insert and a commit for each request, after a tenth of the load to warm up."""
    async with database(file) as db:

        async def store(row: InboxRow) -> None:
            async with db.transaction() as session:
                session.add(row)

        await load(store, "warm", max(events // 10, 2), clients)
        return await load(store, "real", events, clients) | {"events_per_commit": 1.0}


async def together(file: Path, events: int, clients: int) -> dict[str, float]:
    """Measure the inbox's group commit, after a tenth of the load to warm up."""
    async with database(file) as db, GroupCommit(db) as group:
        commits = 0

        def count() -> None:
            nonlocal commits
            commits += 1

        await load(group.record, "warm", max(events // 10, 2), clients)
        db.before_commit = count
        return await load(group.record, "real", events, clients) | {"events_per_commit": round(events / commits, 1)}


async def compare(events: int, clients: int, directory: Path | None) -> dict[str, Any]:
    """Measure both ways in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        one = await one_by_one(Path(folder) / "one.db", events, clients)
        many = await together(Path(folder) / "many.db", events, clients)
    ratio = round(many["events_per_second"] / one["events_per_second"], 1)
    return {"events": events, "clients": clients, "one_by_one": one, "group_commit": many, "ratio": ratio}


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.group_commit", description="Durable webhooks a second on SQLite, two ways.")
    parser.add_argument("--events", type=int, default=4000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--directory", type=Path, help="where the database lies (a real disk, or fsync costs nothing)")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    result = asyncio.run(compare(wanted.events, wanted.clients, wanted.directory))
    if wanted.json:
        print(json.dumps(result))
        return
    for way in ("one_by_one", "group_commit"):
        figures = result[way]
        print(
            f"{way:13} {figures['events_per_second']:6.0f} events/s   median {figures['median_ms']:7.2f} ms   "
            f"p99 {figures['p99_ms']:7.2f} ms   {figures['events_per_commit']:5.1f} events per commit"
        )
    print(f"ratio         {result['ratio']}")


if __name__ == "__main__":
    main()
