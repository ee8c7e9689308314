"""How long a payer waits: from the webhook to the role, and what the same calls take one after another without us.

    python -m benchmarks.latency [--payments 1000] [--rate 5] [--servers 100] [--json]

The product runs as a child process on SQLite; the emulators run here and take 5 ms for every call. Payments arrive as a Poisson
process. A wait is counted from the moment the emulator makes the first event of a payment, a little before the product can have
it, to the moment the emulator's Discord has the role on. The baseline makes the calls no way leads around (look the subscription
up, look at the member, add the role) with the product's own clients in a process of its own, one after another, for the same people.
``ratio`` is our median wait over the baseline's.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.discord import DiscordAdapter, Settings
from billing.stripe.accounts import GatewayPool
from core.clock import SystemClock
from core.ids import PlatformName, PlatformUserId, RandomIds
from core.platform import Resource, ResourceKind, Space
from sandbox.browser import Browser
from sandbox.cast import PERMISSIONS
from sandbox.discord.people import Person
from sandbox.discord.servers import Server
from sandbox.product import free_port, running
from sandbox.story.stage import link_in
from sandbox.stripe.account import Account
from sandbox.stripe.resource import Resource as Row
from sandbox.town import Town, open_town

LATENCY = 0.005
"""Seconds each emulated call takes."""
AT_ONCE = 16
TARGET_MEDIAN, TARGET_P99, TARGET_RATIO = 100.0, 500.0, 3.0


@dataclass(frozen=True, slots=True)
class Buyer:
    """One member of a server at the checkout, card in hand."""

    person: Person
    server: Server
    checkout: str
    order: str


class Sent:
    """When each order's first event was made, in monotonic seconds."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def note(self, _account: Account, event: Row) -> None:
        """Remember the moment, by every order the event names."""
        about = event["data"]["object"]
        text = json.dumps([about.get("metadata"), about.get("parent")])
        for word in text.split('"'):
            if len(word) == 22:  # noqa: PLR2004 - an order's id
                self.at.setdefault(word, time.monotonic())


@asynccontextmanager
async def world(latency: float) -> AsyncIterator[tuple[Town, Sent]]:
    """Start the emulators and the product."""
    with tempfile.TemporaryDirectory(prefix="doorman-latency-") as name:
        folder, url = Path(name), f"http://127.0.0.1:{free_port()}"
        async with open_town(url, start=SystemClock().now(), latency=latency) as town:
            sent = Sent()
            town.stripe.model.on_event(sent.note)
            environment = {**town.environment(f"sqlite:///{folder}/doorman.db"), "LOG_LEVEL": "WARNING"}
            async with running(environment, folder / "doorman.log"):
                yield town, sent


async def open_servers(town: Town, count: int) -> list[Server]:
    """Give ``count`` creators a server with the bot and a plan."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Server:
        async with limit:
            creator = town.discord.people.user(f"creator{number}")
            server = town.discord.people.guild(creator, f"Server {number}", ["Gold"])
            await town.discord.people.add_bot(server, PERMISSIONS)
            await creator.next_dm(within=60)
            words = "doorman plan create"
            await creator.command(server, words, name="Gold", price="9.99 USD", interval="month", role=server.role("Gold"), within=60)
            return server

    return await asyncio.gather(*(one(number) for number in range(count)))


async def queue_up(town: Town, servers: Sequence[Server], count: int, first: int = 0) -> list[Buyer]:
    """Bring ``count`` members to the checkout, numbered from ``first``."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Buyer:
        async with limit, Browser() as browser:
            server, person = servers[number % len(servers)], town.discord.people.user(f"fan{number}")
            person.join(server, server.invite())
            link = (await person.command(server, "join", within=60)).buttons[0]["url"]
            await browser.open(link)
            checkout = await browser.press("Continue to payment", follow=False)
            session = town.stripe.account.table("checkout.session").find(checkout.rpartition("/")[2].partition("?")[0])
            return Buyer(person, server, checkout, session["client_reference_id"] if session else link_in(checkout))

    return await asyncio.gather(*(one(number) for number in range(first, first + count)))


async def pay_all(town: Town, buyers: Sequence[Buyer], rate: float, sent: Sent, rng: random.Random) -> list[float]:
    """Let the payments arrive, and return each wait in milliseconds."""
    waits: list[float] = []

    async def one(buyer: Buyer) -> None:
        await town.cashiers.pay(buyer.checkout)
        role = buyer.server.role("Gold")
        await buyer.server.until_role(buyer.person, role, within=60)
        moment = buyer.server.role_moment(buyer.person, role)
        if moment is not None:
            waits.append((moment - sent.at[buyer.order]) * 1000)

    async with asyncio.TaskGroup() as group:
        for buyer in buyers:
            group.create_task(one(buyer))
            await asyncio.sleep(rng.expovariate(rate))
    return waits


async def alone(plan: dict[str, object]) -> list[float]:
    """Make the same calls with the same clients one after another; returns milliseconds for each person."""
    clock = SystemClock()
    settings = Settings.model_validate(plan["discord"])
    adapter = DiscordAdapter(settings, clock=clock, ids=RandomIds())
    waits = []
    async with GatewayPool(clock, api_url=str(plan["stripe"])) as pool:
        gateway = pool.gateway([str(plan["key"])])
        people: list[list[str]] = plan["people"]  # type: ignore[assignment]
        for subscription, guild, role, user in people:
            space = Space(PlatformName("discord"), "", guild)
            began = time.perf_counter()
            await gateway.subscription(subscription)
            await adapter.holds(space, PlatformUserId(user))
            await adapter.grant(Resource(space, ResourceKind.ROLE, role), PlatformUserId(user), reason="benchmark")
            waits.append((time.perf_counter() - began) * 1000)
    await adapter.close()
    return waits[5:]


async def baseline(town: Town, buyers: Sequence[Buyer]) -> list[float]:
    """Run :func:`alone` in a process of its own, for up to 200 of the buyers."""
    subscriptions = {row["metadata"]["doorman_reference"]: row.id for row in town.stripe.account.table("subscription").rows}
    people = [
        [subscriptions[buyer.order], str(buyer.server.id), str(buyer.server.role("Gold").id), str(buyer.person.id)]
        for buyer in buyers[:205]
    ]
    served = town.served
    discord = {
        "token": served.bot_token,
        "client_id": served.client_id,
        "client_secret": served.client_secret,
        "api_url": served.api_url,
        "gateway_url": served.gateway_url,
    }
    plan = {"stripe": town.stripe.base_url, "key": town.stripe.api_key, "discord": discord, "people": people}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.latency", "--alone", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(json.dumps(plan).encode())
    found: list[float] = json.loads(out)
    return found


async def run(payments: int, rate: float, servers: int) -> dict[str, float]:
    """Measure, and return every figure."""
    async with world(LATENCY) as (town, sent):
        opened = await open_servers(town, servers)
        buyers = await queue_up(town, opened, payments)
        waits = await pay_all(town, buyers, rate, sent, random.Random(1))
        await asyncio.sleep(2)
        base = await baseline(town, buyers)
    cuts = statistics.quantiles(waits, n=100)
    return {
        "payments": len(waits),
        "median_ms": round(statistics.median(waits), 1),
        "p99_ms": round(cuts[98], 1),
        "max_ms": round(max(waits), 1),
        "baseline_median_ms": round(statistics.median(base), 1),
        "baseline_p99_ms": round(statistics.quantiles(base, n=100)[98], 1),
        "ratio": round(statistics.median(waits) / statistics.median(base), 2),
    }


def main() -> int:
    """Read the arguments, measure, print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=5.0, help="payments a second")
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        print(json.dumps(asyncio.run(alone(json.load(sys.stdin)))))
        return 0
    figures = asyncio.run(run(asked.payments, asked.rate, asked.servers))
    if asked.json:
        print(json.dumps(figures))
    else:
        print(
            f"{figures['payments']:.0f} payments: median {figures['median_ms']} ms, "
            f"p99 {figures['p99_ms']} ms, longest {figures['max_ms']} ms"
        )
        print(f"the same calls alone: median {figures['baseline_median_ms']} ms, p99 {figures['baseline_p99_ms']} ms")
        print(f"ratio at the median: {figures['ratio']} (at most {TARGET_RATIO:.0f} wanted)")
    held = figures["median_ms"] < TARGET_MEDIAN and figures["p99_ms"] < TARGET_P99 and figures["ratio"] <= TARGET_RATIO
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
