"""The pages over the real use cases, a platform in memory and the sandbox's payment processor on its own socket."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlmodel import select

from billing.checkout import Checkouts
from billing.gateways import Gateways
from billing.plan import NewPlan, Plans
from billing.stripe.accounts import GatewayPool
from billing.tip import Tips
from billing.webhook import StripeWebhooks
from core.ids import CauseId, Ids, OrderId
from core.money import Money
from core.payments import Interval, IntervalUnit
from core.people import Identity
from core.platform import ResourceLabel
from membership.community import Communities, Home
from membership.invite import Invites
from membership.status import Statuses
from sandbox.clock import VirtualClock
from sandbox.memory import MemoryAdapter, MemoryWorld
from sandbox.stripe.emulator import StripeEmulator
from sandbox.stripe.people import StripePeople
from storage import stripe_accounts, webhook_endpoints
from storage.database import Database
from storage.inbox import GroupCommit, InboxRow
from storage.orders import OrderRow
from tests.web.site import Answer, Site, Visitor

WEBHOOKS = "/webhooks/stripe"


@dataclass(slots=True)
class Town:
    """A creator with a plan for sale, and everyone who takes part in selling it."""

    site: Site
    world: MemoryWorld
    home: Home
    plans: Plans
    invites: Invites
    payers: StripePeople
    emulator: StripeEmulator

    async def link(self, cause: str = "link", *, bound: Identity | None = None, max_uses: int | None = None) -> str:
        view = await self.invites.create(
            self.home.community_id, "Gold", bound=bound, max_uses=max_uses, actor="ann", cause=CauseId(cause), lifetime=timedelta(days=2)
        )
        return view.code

    async def sign_in(self, fan: Visitor, code: str, name: str = "ben") -> Answer:
        user = self.world.person(name)
        away = await fan.submit(await fan.get(f"/j/{code}"), f"/j/{code}/continue")
        back = await fan.get(f"/oauth/memory/callback?code={self.world.sign_in(user)}&state={away.state}")
        assert back.location == f"/j/{code}", back.text
        return await fan.get(back.location)

    async def orders(self) -> list[OrderRow]:
        async with self.site.db.reading() as session:
            return list((await session.exec(select(OrderRow))).all())


@pytest.fixture
async def town(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Town]:
    world = MemoryWorld()
    ann = world.person("ann")
    space = world.space("Ann's den", ann)
    role = world.thing(space, "Gold")
    communities = Communities(db=sqlite_database, clock=clock, ids=ids)
    await communities.space_added(space, "Ann's den", ann, cause=CauseId("born"))
    home = await communities.of_space(space)
    adapter = MemoryAdapter(world, clock)
    emulator = StripeEmulator(clock, seed=7)
    site = Site(sqlite_database, clock, ids)
    secret = emulator.create_webhook_endpoint(site.base + WEBHOOKS)
    async with sqlite_database.transaction() as session:
        await stripe_accounts.ensure_environment(session, clock.now())
        await webhook_endpoints.ensure_environment(session, clock.now())
    async with (
        emulator.serve() as processor,
        GatewayPool(clock, api_url=processor, retries=0) as pool,
        StripePeople(processor) as payers,
        GroupCommit(sqlite_database) as group,
    ):
        gateways = Gateways(db=sqlite_database, pool=pool, environment_keys=[emulator.api_key])
        plans = Plans(db=sqlite_database, clock=clock, ids=ids, gateways=gateways)
        invites = Invites(db=sqlite_database, clock=clock, ids=ids, public_url=site.base)
        await plans.create(
            NewPlan(
                community=home.community_id,
                space=home.space_id,
                name="Gold",
                price=Money(999, "USD"),
                interval=Interval(IntervalUnit.MONTH),
                trial_days=0,
                description="Behind the scenes",
                resources=(ResourceLabel(role, "Gold"),),
            ),
            actor="memory:ann",
            cause=CauseId("plan"),
        )
        webhooks = StripeWebhooks(
            db=sqlite_database,
            clock=clock,
            ids=ids,
            group=group,
            environment_secrets=[secret],
            unix_now=time.time,  # noqa: TID251 - a signature's age is real time
        )
        site.real = lambda services: replace(
            services,
            adapters={adapter.name: adapter},
            invites=invites,
            checkouts=Checkouts(db=sqlite_database, clock=clock, ids=ids, gateways=gateways, public_url=site.base),
            statuses=Statuses(db=sqlite_database, clock=clock),
            tips=Tips(db=sqlite_database, clock=clock, ids=ids, gateways=gateways, public_url=site.base),
            webhooks=webhooks,
        )
        async with site.open():
            yield Town(site, world, home, plans, invites, payers, emulator)


@pytest.fixture
async def visitor(town: Town) -> AsyncIterator[Visitor]:
    async with town.site.visitor() as visitor:
        yield visitor


async def test_a_stranger_comes_from_the_link_to_a_checkout_of_the_right_price(town: Town, visitor: Visitor) -> None:
    code = await town.link()
    page = await town.sign_in(visitor, code)
    assert "9.99 USD</strong> per month" in page.text
    assert "@ben" in page.text
    away = await visitor.submit(page, f"/j/{code}/checkout")
    (order,) = await town.orders()
    assert away.location == order.checkout_url
    assert "<h1>Waiting for your payment</h1>" in (await visitor.get(f"/welcome/{order.id}")).text


async def test_a_second_click_leads_to_the_same_checkout(town: Town, visitor: Visitor) -> None:
    code = await town.link()
    page = await town.sign_in(visitor, code)
    first, second = [await visitor.submit(page, f"/j/{code}/checkout") for _ in range(2)]
    assert first.location == second.location
    assert len(await town.orders()) == 1


async def test_paying_is_heard_by_webhook_and_nothing_else(town: Town, visitor: Visitor) -> None:
    code = await town.link()
    away = await visitor.submit(await town.sign_in(visitor, code), f"/j/{code}/checkout")
    back = await town.payers.pay(away.location)
    (order,) = await town.orders()
    assert back == f"{town.site.base}/welcome/{order.id}"
    await town.emulator.webhooks.settled()
    async with town.site.db.reading() as session:
        types = {row.type for row in (await session.exec(select(InboxRow))).all()}
    assert "checkout.session.completed" in types
    page = await visitor.get(f"/welcome/{order.id}")
    assert "<h1>Waiting for your payment</h1>" in page.text, "the redirect itself lets nobody in"
    assert "Refresh" in page.headers


async def test_the_token_of_whoever_signed_in_waits_for_the_join(town: Town, visitor: Visitor) -> None:
    code = await town.link()
    await town.sign_in(visitor, code)
    (user,) = [user for user, person in town.world.people.items() if person.name == "ben"]
    token = await town.site.credentials.get(MemoryAdapter.name, f":{user}", "join")
    assert token == town.world.people[user].token != ""


async def test_a_personal_link_needs_no_sign_in(town: Town, visitor: Visitor) -> None:
    code = await town.link(bound=Identity(MemoryAdapter.name, "", town.world.person("cas"), "cas"))
    page = await visitor.get(f"/j/{code}")
    assert "@cas" in page.text
    assert (await visitor.submit(page, f"/j/{code}/checkout")).status == 303


async def test_a_withdrawn_link_an_old_one_and_an_archived_plan_are_gone_and_say_why(
    town: Town, visitor: Visitor, clock: VirtualClock
) -> None:
    withdrawn, old = await town.link("1"), await town.link("2")
    page = await town.sign_in(visitor, withdrawn)
    await town.invites.revoke(town.home.community_id, withdrawn, actor="ann", cause=CauseId("3"))
    for answer in (await visitor.get(f"/j/{withdrawn}"), await visitor.submit(page, f"/j/{withdrawn}/checkout")):
        assert (answer.status, "was withdrawn" in answer.text) == (410, True)
    clock.advance(timedelta(days=2))
    ran_out = await visitor.get(f"/j/{old}")
    assert (ran_out.status, "ran out on 4 November 2026" in ran_out.text) == (410, True)
    fresh = await town.link("4")
    await town.plans.archive(town.home.community_id, "Gold", actor="ann", cause=CauseId("5"))
    assert (await visitor.get(f"/j/{fresh}")).status == 410
    assert not await town.orders()


async def test_the_last_place_goes_to_whoever_is_paying_for_it(town: Town, visitor: Visitor) -> None:
    code = await town.link(max_uses=1)
    await visitor.submit(await town.sign_in(visitor, code), f"/j/{code}/checkout")
    async with town.site.visitor() as late:
        answer = await late.submit(await town.sign_in(late, code, "dora"), f"/j/{code}/checkout")
    assert (answer.status, "last place" in answer.text) == (410, True)


async def test_nobody_knows_an_order_or_a_tip_that_does_not_exist(visitor: Visitor) -> None:
    assert (await visitor.get(f"/welcome/{OrderId('x' * 22)}")).status == 404
    assert (await visitor.get("/tip/nothing")).status == 404
