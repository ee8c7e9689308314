"""A community in memory, the real use cases over a real database, and the emulated processor: what commands are tried on."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import BaseModel

from billing.checkout import Started
from billing.gateways import Gateways
from billing.stripe.accounts import GatewayPool
from bots.dispatcher import AsyncioDispatcher
from bots.drains import build_drains
from bots.foundation import Foundation, prepare_rows
from bots.platforms import Platform
from bots.router import Router
from bots.settings import Configuration, read_settings
from bots.use_cases import UseCases, build_use_cases
from core.commands import CommandReply, CommandRequest
from core.dispatch import Lane, stripe_lane
from core.errors import Refusal
from core.ids import CauseId, Ids, PlatformName, PlatformUserId
from core.people import Identity
from core.platform import PlatformAdapter, Resource, Space
from core.text import plain
from sandbox.clock import VirtualClock
from sandbox.mark import MARK
from sandbox.memory import MemoryAdapter, MemoryWorld
from sandbox.memory.world import NAME
from sandbox.stripe.emulator import StripeEmulator
from storage import lanes
from storage.credentials import CredentialStore
from storage.database import Database
from storage.inbox import GroupCommit, InboxKind, InboxRow
from storage.orders import OrderRow
from storage.stripe_accounts import ENVIRONMENT

PUBLIC_URL = "http://127.0.0.1:1"


class NoSettings(BaseModel):
    """The platform in memory needs none."""


def memory_platform(adapter: PlatformAdapter) -> Mapping[PlatformName, Platform]:
    """Return the platforms of an installation that has this one alone."""
    return {NAME: Platform(NAME, "Memory", NoSettings, lambda *_args, **_kwargs: adapter)}


def configuration(adapter: PlatformAdapter, **changes: str) -> Configuration:
    """Return settings that are complete."""
    environ = {
        "PUBLIC_URL": PUBLIC_URL,
        "SECRET_KEY": f"the key of the tests that is long enough {MARK}",
        "STRIPE_API_KEY": f"sk_test_{MARK}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{MARK}",
        **changes,
    }
    return read_settings(environ, platforms=memory_platform(adapter))


@dataclass
class Bench:
    """The parts, a space with its creator, and one role worth selling."""

    base: Foundation
    cases: UseCases
    clock: VirtualClock
    dispatcher: AsyncioDispatcher
    router: Router
    adapter: MemoryAdapter
    world: MemoryWorld
    stripe: StripeEmulator
    creator: PlatformUserId
    fan: PlatformUserId
    space: Space
    role: Resource

    async def ask(self, user: PlatformUserId, words: str, **options: object) -> CommandReply:
        """Let somebody give a command and return the answer."""
        request = await self.adapter.ask(self.space, user, words, **options)
        return await self.answer(request)

    async def answer(self, request: CommandRequest) -> CommandReply:
        """Return the answer to a command that was given."""
        await self.dispatcher.settled()
        return self.adapter.answers[request.id]

    async def plan(self, **options: object) -> CommandReply:
        """Have the creator make a plan, called Gold unless ``options`` say otherwise."""
        given = {"name": "Gold", "price": "9.99 USD", "interval": "month", "role": self.role.external_id, **options}
        return await self.ask(self.creator, "doorman plan create", **given)

    async def start(self, user: PlatformUserId, name: str, plan: str = "") -> Started:
        """Bring somebody to the checkout of what is sold, through their own link."""
        link = (await self.ask(user, "join", **({"plan": plan} if plan else {}))).buttons[0].url
        who = Identity(NAME, self.world.realm, user, name)
        return await self.cases.desk.checkouts.start(link.rpartition("/")[2], who, cause=CauseId(self.base.ids.new()))

    async def due(self) -> Sequence[Lane]:
        """Return the lanes with work that is due, as the sweep would wake them."""
        async with self.base.db.reading() as session:
            return list(await lanes.due_lanes(session, self.clock.now()))

    async def tries(self, user: PlatformUserId, name: str, link: str) -> str:
        """Let somebody go from a link to its checkout; returns why not, empty when they are there."""
        who = Identity(NAME, self.world.realm, user, name)
        try:
            await self.cases.desk.checkouts.start(link.rpartition("/")[2], who, cause=CauseId(self.base.ids.new()))
        except Refusal as refusal:
            return refusal.code
        finally:
            await self.dispatcher.settled()
        return ""

    async def buy(self, user: PlatformUserId, name: str, plan: str = "") -> str:
        """Let somebody buy what is sold, have the processor's word come in, and return their subscription's id."""
        started = await self.start(user, name, plan)
        async with self.stripe.people() as people:
            await people.pay(started.url)
        async with self.base.db.reading() as session:
            order = await session.get_one(OrderRow, started.order_id)
        await self.deliver("checkout.session.completed", order.checkout_session_id or "")
        async with self.base.db.reading() as session:
            return (await session.get_one(OrderRow, started.order_id)).stripe_subscription_id

    async def deliver(self, kind: str, object_id: str) -> None:
        """Have one event of the processor come in, and all that follows from it done."""
        now, id_ = self.clock.now(), self.base.ids.new()
        row = InboxRow(
            id=id_, kind=InboxKind.STRIPE, source="stripe:env", event_id=id_, type=kind, object_id=object_id,
            lane=stripe_lane(ENVIRONMENT), payload=b"{}", received_at=now, due_at=now,
        )  # fmt: skip
        await self.router._group.record(row)
        await self.dispatcher.settled()


def text(reply: CommandReply) -> str:
    """Return all that is said in a reply, on one line."""
    rows = [f"{label}: {plain(value)}" for label, value in reply.fields]
    return " | ".join([reply.title, plain(reply.body), *rows, *(f"[{button.label}]" for button in reply.buttons)])


@asynccontextmanager
async def open_bench(db: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Bench]:
    """Start everything but the pages."""
    world, stripe = MemoryWorld(), StripeEmulator(clock, seed=3)
    adapter = MemoryAdapter(world, clock)
    async with stripe.serve() as url, GatewayPool(clock, api_url=url, retries=0) as pool:
        base = Foundation(
            configuration=configuration(adapter, STRIPE_API_URL=url),
            clock=clock,
            ids=ids,
            rng=random.Random(5),  # noqa: S311 - replayable
            db=db,
            gateways=Gateways(db=db, pool=pool, environment_keys=[stripe.api_key]),
            credentials=CredentialStore(db, clock),
            adapters={NAME: adapter},
        )
        await prepare_rows(db, clock)
        cases = build_use_cases(base)
        creator, fan = world.person("Cleo"), world.person("Fay")
        space = world.space("Cleo's place", creator)
        world.places[space.external_id].members[fan] = set()
        role = world.thing(space, "Gold member")
        async with AsyncioDispatcher(db, clock, "bench", build_drains(base, cases)) as dispatcher, GroupCommit(db) as group:
            router = Router(group=group, clock=clock, ids=ids)
            await adapter.start(router)
            await dispatcher.settled()
            yield Bench(base, cases, clock, dispatcher, router, adapter, world, stripe, creator, fan, space, role)
            await adapter.close()


__all__ = ["Bench", "configuration", "memory_platform", "open_bench", "text"]
