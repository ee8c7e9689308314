"""Why a member has what they have, from the payment to the platform's answer; and the record of it is the whole truth."""

import random
from datetime import timedelta

import pytest

from bots.history import _lines
from core.causality import replay
from core.ids import CommunityId, Ids
from core.people import Identity
from sandbox.clock import VirtualClock
from sandbox.memory.world import NAME
from storage import history
from storage.accounts import find
from storage.database import Database
from storage.sweeping import Sweep
from tests.bots.bench import Bench, open_bench, text


async def home(bench: Bench) -> CommunityId:
    return (await bench.cases.desk.communities.of_space(bench.space)).community_id


async def agreed(bench: Bench) -> None:
    """What the record says, replayed, is what the rows say of the fan's entitlements and grants."""
    community = await home(bench)
    async with bench.base.db.reading() as session:
        account = await find(session, community, Identity(NAME, "", bench.fan, "Fay"))
        if account is None:
            return
        live = await history.live(session, community, account.member_id)
        told = replay(await history.of_member(session, community, account.member_id))
    assert {subject: told.get(subject) for subject in live} == live


async def test_a_creator_sees_the_payment_what_it_opened_and_what_the_platform_answered(bench: Bench) -> None:
    await bench.plan()
    subscription = await bench.buy(bench.fan, "Fay")
    said = text(await bench.ask(bench.creator, "doorman why", who=bench.fan))
    assert said.startswith("Why @Fay has what they have | What set something off, the latest last, and what followed.")
    steps = ["The payment processor said: checkout.session.completed", f"Subscription {subscription} to Gold: status active",
             "Access to Gold opened until 5 December 2026.", "@Fay is to have Gold member in Cleo's place.",
             "Memory: Gold member was given to @Fay.", "The order of Gold was paid."]  # fmt: skip
    assert [step for step in steps if step not in said] == []
    assert "differ" not in said


async def test_whoever_bought_nothing_has_no_story(bench: Bench) -> None:
    said = text(await bench.ask(bench.creator, "doorman why", who=bench.fan))
    assert said == "That won't work | @Fay never bought anything here, so I gave and took nothing."


@pytest.mark.parametrize("by", ["name", "id", "subscription"])
async def test_an_operator_finds_a_person_by_whatever_is_at_hand(bench: Bench, by: str) -> None:
    await bench.plan()
    subscription = await bench.buy(bench.fan, "Fay")
    (story,) = await bench.cases.desk.whys.of_person({"name": "@Fay", "id": bench.fan, "subscription": subscription}[by])
    lines = _lines(story)
    assert lines[0] == f"@Fay in Cleo's place (member {story.member})"
    assert any(line.endswith("Memory: Gold member was given to @Fay.") and line.startswith("  2026-11-02 09:00:00 UTC") for line in lines)


async def test_what_set_something_off_is_known_after_its_delivery_was_forgotten(bench: Bench) -> None:
    from bots.jobs import sweeper  # noqa: PLC0415

    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    bench.clock.advance(timedelta(days=40))
    await sweeper(bench.base, bench.cases).run()
    await bench.dispatcher.settled()
    said = text(await bench.ask(bench.creator, "doorman why", who=bench.fan))
    assert "The payment processor said: checkout.session.completed" in said
    assert Sweep


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_becomes_of_a_membership_the_record_replayed_says_what_the_rows_say(
    sqlite_database: Database, clock: VirtualClock, ids: Ids, seed: int
) -> None:
    from bots.jobs import catch_up, drift, sweeper  # noqa: PLC0415

    chance = random.Random(seed)  # noqa: S311 - replayable
    async with open_bench(sqlite_database, clock, ids) as bench:
        await bench.plan()
        await bench.plan(name="Day", interval="2 days", price="3 USD")
        subscription = await bench.buy(bench.fan, "Fay", "Gold")
        for _ in range(8):
            match chance.choice(["pass", "cancel", "refund", "leave", "join", "drift", "sweep", "catch-up", "broken", "mended"]):
                case "pass":
                    await bench.buy(bench.fan, "Fay", "Day")
                case "cancel":
                    gateway = await bench.base.gateways.of(bench.cases.desk.plans and "env")  # type: ignore[arg-type]
                    await gateway.cancel_subscription(subscription, at_period_end=chance.random() < 0.5, key=ids.new())
                    await bench.deliver("customer.subscription.updated", subscription)
                case "refund":
                    await bench.deliver("customer.subscription.updated", subscription)
                case "leave":
                    await bench.adapter.leave(bench.space, bench.fan)
                case "join":
                    await bench.adapter.join(bench.space, bench.fan)
                case "drift":
                    await drift(bench.base).run()
                case "sweep":
                    clock.advance(timedelta(days=chance.randint(1, 20)))
                    await sweeper(bench.base, bench.cases).run()
                case "catch-up":
                    await catch_up(bench.base, bench.cases).run()
                case "broken":
                    bench.world.places[bench.space.external_id].things[bench.role.external_id].reachable = False
                case _:
                    bench.world.places[bench.space.external_id].things[bench.role.external_id].reachable = True
                    await bench.cases.unblocker.probe(bench.space, cause=bench.base.ids.new())  # type: ignore[arg-type]
            await bench.dispatcher.settled()
            await agreed(bench)
