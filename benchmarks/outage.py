"""Whether Slack being down holds up Discord: from the webhook to the role with a heap of Slack changes waiting, and without.

    python -m benchmarks.outage [--changes 10000] [--payments 200] [--rate 2] [--json]

The product runs as a child process on SQLite; the emulators run here and take 5 ms for every call. Slack is down from the start, with
``changes`` rows waiting: half of them one user group's, half of them people to be removed from private channels of many workspaces.
Payments come in on Discord in twelve parts; after each part the clock of product and emulators is moved by five minutes, so that they
spread over an hour of the outage, and retries come as thick as they would in it. Then Slack answers again, everything waiting is
carried out, and the same number of payments is measured once more. ``ratio`` is the median wait with the heap over the median without
it. ``repeated`` counts Slack's calls beyond the one that each person in a channel, and each group, needs.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import SQLModel

from adapters.slack.installed import Installed
from adapters.slack.rotation import PURPOSE
from benchmarks.latency import LATENCY, Sent, open_servers, pay_all, queue_up
from core.clock import SystemClock
from core.dispatch import platform_lane
from core.ids import AccountId, CauseId, CommunityId, GrantId, MemberId, PlatformName, PlatformUserId, ResourceId, SpaceId
from core.platform import ResourceKind
from sandbox.discord.servers import Server
from sandbox.product import free_port, running
from sandbox.slack import membership
from sandbox.slack.channels import Channel
from sandbox.slack.plans import Role
from sandbox.slack.usergroups import UserGroup
from sandbox.slack.workspaces import Workspace
from sandbox.town import Town, open_town
from storage import schema
from storage.accounts import AccountRow
from storage.communities import CommunityRow
from storage.credentials import CredentialStore
from storage.database import Database
from storage.engine import create_engines
from storage.grants import Actual, GrantRow
from storage.members import MemberRow
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.upsert import table
from storage.vault import Vault

TARGET_RATIO = 1.2
SLACK = PlatformName("slack")
IN_A_CHANNEL = 40
"""People to remove in each workspace: no more than Slack lets us in a minute, so that the end is seen without waiting for its limits."""
OUTAGE = timedelta(hours=1)
CONVERGES_WITHIN = 300.0
"""Real seconds."""
SERVERS = 10
PARTS = 12
SETTLES = 1.0
"""Real seconds after each jump of the clock, for what the jump made due all at once."""
WARM_UP = 12
"""Payments that are not counted, before the others."""


@dataclass(frozen=True, slots=True)
class Heap:
    """One workspace with what is sold in it and everyone who is to lose that."""

    workspace: Workspace
    sold: Channel | UserGroup
    people: Sequence[str]

    def left(self) -> int:
        """Return how many still have it, by Slack's own word."""
        if isinstance(self.sold, UserGroup):
            return 0 if self.sold.disabled is not None else len(self.sold.users)
        return len(self.sold.members.keys() & set(self.people))


def found(town: Town, number: int, size: int, *, group: bool) -> Heap:
    """Make a workspace in which ``size`` people still have what is sold."""
    people = town.slack.people
    creator = people.person(f"owner{number}")
    workspace = people.workspace(creator, f"Workspace {number}")
    workspace.preferences.manage_groups = Role.MEMBER
    fans = [people.person(f"fan{number}-{each}") for each in range(size)]
    for fan in fans:
        people.join(fan, workspace)
    ids = [fan.id(workspace) for fan in fans]
    people.install(workspace, by=creator)
    if group:
        return Heap(workspace, creator.create_group(workspace, "Gold", "gold", fans), ids)
    channel = creator.create_channel(workspace, "gold", private=True)
    creator.add_app(channel)
    for fan in fans:
        membership.join(town.slack.model, channel, fan.user(workspace))
    return Heap(workspace, channel, ids)


def heaps(town: Town, changes: int) -> list[Heap]:
    """Make every workspace, while Slack tells nobody of it."""
    app = town.slack.model.app
    told, app.events = app.events, type(app.events)()
    in_channels = changes // 2
    sizes = [IN_A_CHANNEL] * (in_channels // IN_A_CHANNEL) + [in_channels % IN_A_CHANNEL]
    made = [found(town, 0, changes - in_channels, group=True)]
    made += [found(town, number, size, group=False) for number, size in enumerate(filter(None, sizes), start=1)]
    app.events = told
    return made


def rows_of(heap: Heap, now: datetime) -> list[Sequence[SQLModel]]:
    """Return the rows of one workspace: everyone's membership is over and is still to be taken."""
    team = heap.workspace.id
    community, space, resource = CommunityId(f"c-{team}"), SpaceId(f"s-{team}"), ResourceId(f"r-{team}")
    kind = ResourceKind.USER_GROUP if isinstance(heap.sold, UserGroup) else ResourceKind.CHANNEL
    members = [MemberRow(id=MemberId(f"{team}-{one}"), community_id=community, created_at=now) for one in heap.people]
    owner = next(iter(heap.workspace.users))
    return [
        [CommunityRow(id=community, name=heap.workspace.name, currency="USD", created_at=now)],
        [SpaceRow(id=space, community_id=community, platform=SLACK, realm=team, external_id=team, name=heap.workspace.name,
                  installer=PlatformUserId(owner), created_at=now)],
        [ResourceRow(id=resource, community_id=community, space_id=space, kind=kind, external_id=heap.sold.id, name="gold")],
        members,
        [AccountRow(id=AccountId(row.id), community_id=community, member_id=row.id, platform=SLACK, realm=team,
                    external_id=PlatformUserId(one), name=one, created_at=now) for row, one in zip(members, heap.people, strict=True)],
        [GrantRow(id=GrantId(row.id), community_id=community, member_id=row.id, account_id=AccountId(row.id), resource_id=resource,
                  lane=platform_lane(SLACK, team), wanted=False, actual=Actual.GRANTED, attempted=True, due_at=now, changed_at=now,
                  cause_id=CauseId("benchmark")) for row in members],
    ]  # fmt: skip


async def store(town: Town, url: str, key: str, made: Iterable[Heap]) -> None:
    """Write the heap straight into the product's database, and the app's installation in every workspace."""
    db, now = Database(create_engines(url, Vault([key]))), town.clock.now()
    credentials = CredentialStore(db, town.clock)
    try:
        await schema.upgrade(db.engines)
        for heap in made:
            team, bot = heap.workspace.id, heap.workspace.bot
            token = town.slack.model.tokens.bot_token(team)
            assert token is not None
            assert bot is not None
            installed = Installed(token.value, team, "", heap.workspace.name, bot.id, next(iter(heap.workspace.users)), now)
            await credentials.put(SLACK, team, PURPOSE, installed.dump(), None)
            async with db.transaction() as session:
                for rows in rows_of(heap, now):
                    await session.execute(table(type(rows[0])).insert(), [row.model_dump() for row in rows])
    finally:
        await db.close()


async def waits(
    town: Town, servers: Sequence[Server], payments: int, rate: float, sent: Sent, first: int, parts: int = PARTS
) -> list[float]:
    """Let the payments arrive while an hour passes, and return each wait in milliseconds; ``first`` numbers the people.

    They come to the checkout a few at a time, since one is open for less than that hour.
    """
    rng, taken = random.Random(1), list[float]()
    for start in range(0, payments, size := -(-payments // parts)):
        buyers = await queue_up(town, servers, min(size, payments - start), first + start)
        taken += await pay_all(town, buyers, rate, sent, rng)
        town.clock.advance(OUTAGE / PARTS)
        await asyncio.sleep(SETTLES)
    return taken


async def converge(town: Town, made: Sequence[Heap]) -> float:
    """Let minutes pass until nobody has what is over; returns real seconds, or raises TimeoutError with how many are left."""
    began = time.monotonic()
    while left := sum(heap.left() for heap in made):
        if time.monotonic() - began > CONVERGES_WITHIN:
            raise TimeoutError(f"{left} people still have what is over")
        town.clock.advance(timedelta(minutes=1))
        await asyncio.sleep(0.5)
    return time.monotonic() - began


async def run(changes: int, payments: int, rate: float) -> dict[str, float]:
    """Measure, and return every figure."""
    with tempfile.TemporaryDirectory(prefix="doorman-outage-") as name:
        folder, url = Path(name), f"http://127.0.0.1:{free_port()}"
        async with open_town(url, start=SystemClock().now(), latency=LATENCY) as town:
            sent = Sent()
            town.stripe.model.on_event(sent.note)
            made = heaps(town, changes)
            environment = {**town.environment(f"sqlite:///{folder}/doorman.db"), "LOG_LEVEL": "WARNING"}
            await store(town, environment["DATABASE_URL"], environment["SECRET_KEY"], made)
            return await measure(town, made, environment, folder, payments, rate, sent)


async def measure(
    town: Town, made: Sequence[Heap], environment: dict[str, str], folder: Path, payments: int, rate: float, sent: Sent
) -> dict[str, float]:
    """Run the product through the outage and beyond."""
    changes = sum(len(heap.people) for heap in made)
    fault = town.wire.faults.outage("slack")
    async with running(environment, folder / "doorman.log"):
        servers = await open_servers(town, SERVERS)
        await waits(town, servers, WARM_UP, rate, sent, first=2 * payments, parts=1)
        with_heap = await waits(town, servers, payments, rate, sent, first=0)
        refused = town.wire.faults.taken["slack 5xx"]
        still = sum(heap.left() for heap in made)
        town.wire.faults.lift(fault)
        seconds = await converge(town, made)
        kicks, updates = (town.slack.rest.count(one) for one in ("conversations.kick", "usergroups.users.update"))
        without = await waits(town, servers, payments, rate, sent, first=payments)
    needed = sum(len(heap.people) for heap in made if isinstance(heap.sold, Channel))
    medians = statistics.median(with_heap), statistics.median(without)
    return {
        "changes": changes,
        "waited_through": still,
        "payments": len(with_heap),
        "with_median_ms": round(medians[0], 1),
        "without_median_ms": round(medians[1], 1),
        "ratio": round(medians[0] / medians[1], 2),
        "calls_while_down": refused,
        "converged_s": round(seconds, 1),
        "kicks": kicks,
        "group_updates": updates,
        "repeated": max(0, kicks - needed) + max(0, updates - 1),
    }


def main() -> int:
    """Read the arguments, measure, print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--payments", type=int, default=200, help="of each kind, with the heap and without")
    parser.add_argument("--rate", type=float, default=2.0, help="payments a second")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.changes, arguments.payments, arguments.rate))
    text = json.dumps(result) if arguments.json else "\n".join(f"{name:>18}: {value}" for name, value in result.items())
    sys.stdout.write(text + "\n")
    return 0 if result["ratio"] <= TARGET_RATIO and not result["repeated"] else 1


if __name__ == "__main__":
    sys.exit(main())
