"""How many webhooks a second become durable on SQLite: one ORM transaction each, or one Core transaction for all that wait.

    python -m benchmarks.group_commit [--events 4000] [--clients 64] [--directory DIR] [--json]

Both ways use the engine the product uses (WAL, one writer, synchronous=FULL) and answer a request only after its commit.
The clients are closed-loop: each sends its next event when the last one was answered. ``ratio`` is group commit's
throughput over the other's; it depends on the disk less than the figures do.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.engine import create_engines
from storage.vault import Vault

BODY = b'{"id": "evt_0", "type": "invoice.paid"}'.ljust(3072)
"""About the size of an event with one invoice in it."""
Store = Callable[[int], Awaitable[None]]


class Event(SQLModel, table=True):
    """A received webhook, reduced to what makes it cost what it costs."""

    __tablename__ = "benchmark_event"
    id: str = Field(primary_key=True)
    kind: str
    body: bytes


def values(number: int) -> dict[str, Any]:
    """Return the columns of event ``number``."""
    return {"id": f"evt_{number:012d}", "kind": "invoice.paid", "body": BODY}


class OneByOne:
    """Each request opens its own session and commits."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._session = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
        self.commits = 0

    async def store(self, number: int) -> None:
        """Make event ``number`` durable."""
        async with self._session.begin() as session:
            session.add(Event(**values(number)))
        self.commits += 1


class Together:
    """Requests that wait share the next transaction: while one commits, the following ones gather."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: list[tuple[dict[str, Any], asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self.commits = 0

    async def store(self, number: int) -> None:
        """Make event ``number`` durable."""
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((values(number), durable))
        self._arrived.set()
        await durable

    async def write(self) -> None:
        """Commit what waits, for ever."""
        statement = insert(Event).on_conflict_do_nothing()
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._waiting = self._waiting, []
            async with self._engine.begin() as connection:
                await connection.execute(statement, [row for row, _ in batch])
            self.commits += 1
            for _, durable in batch:
                durable.set_result(None)


async def load(store: Store, events: int, clients: int) -> dict[str, float]:
    """Send ``events`` events from ``clients`` clients; return events a second and latencies in milliseconds."""
    numbers = iter(range(events))
    waits: list[float] = []

    async def client() -> None:
        for number in numbers:
            sent = perf_counter()
            await store(number)
            waits.append((perf_counter() - sent) * 1000)

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    took = perf_counter() - began
    cuts = statistics.quantiles(waits, n=100)
    return {"events_per_second": round(events / took), "median_ms": round(cuts[49], 2), "p99_ms": round(cuts[98], 2)}


async def measure(file: Path, events: int, clients: int, *, together: bool) -> dict[str, float]:
    """Measure one way on a fresh database at ``file``, after a tenth of the load to warm up."""
    engines = create_engines(f"sqlite:///{file}", Vault(["a benchmark has no secret"]))
    try:
        async with engines.writer.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all, tables=[Event.__table__])  # type: ignore[attr-defined]
        async with asyncio.TaskGroup() as group:
            way: OneByOne | Together = Together(engines.writer) if together else OneByOne(engines.writer)
            writer = group.create_task(way.write()) if isinstance(way, Together) else None
            await load(lambda number: way.store(number + events), max(events // 10, 2), clients)
            before = way.commits
            result = await load(way.store, events, clients)
            if writer:
                writer.cancel()
        return result | {"events_per_commit": round(events / (way.commits - before), 1)}
    finally:
        await engines.dispose()


async def compare(events: int, clients: int, directory: Path | None) -> dict[str, Any]:
    """Measure both ways in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        one = await measure(Path(folder) / "one.db", events, clients, together=False)
        many = await measure(Path(folder) / "many.db", events, clients, together=True)
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
