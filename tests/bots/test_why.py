"""Why a member has what they have, from the payment to the platform's answer; and the record of it is the whole truth."""

import random
from datetime import timedelta

import pytest

from bots.history import lines_of
from bots.jobs import catch_up, drift, sweeper
from core.causality import replay
from core.errors import PermanentError
from core.ids import CauseId, CommunityId
from core.people import Identity
from sandbox.memory.world import NAME
from storage import history
from storage.accounts import find
from storage.stripe_accounts import ENVIRONMENT
from tests.bots.bench import Bench, text


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
    lines = lines_of(story)
    assert lines[0] == f"@Fay in Cleo's place (member {story.member})"
    assert any(line.endswith("Memory: Gold member was given to @Fay.") and line.startswith("  2026-11-02 09:00:00 UTC") for line in lines)


async def test_what_set_something_off_is_known_after_its_delivery_was_forgotten(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    bench.clock.advance(timedelta(days=40))
    await sweeper(bench.base, bench.cases).run()
    await bench.dispatcher.settled()
    said = text(await bench.ask(bench.creator, "doorman why", who=bench.fan))
    assert "The payment processor said: checkout.session.completed" in said


class Fate:
    """What may become of a membership, one thing after another."""

    def __init__(self, bench: Bench, chance: random.Random) -> None:
        self.bench, self.chance, self.subscription = bench, chance, ""
        self.thing = bench.world.places[bench.space.external_id].things[bench.role.external_id]

    async def begin(self) -> None:
        await self.bench.plan()
        await self.bench.plan(name="Day", interval="2 days", price="3 USD")
        self.subscription = await self.bench.buy(self.bench.fan, "Fay", "Gold")

    async def buy(self) -> None:
        await self.bench.buy(self.bench.fan, "Fay", "Day")

    async def cancel(self) -> None:
        gateway = await self.bench.base.gateways.of(ENVIRONMENT)
        later = self.chance.random() < 0.5
        await gateway.cancel_subscription(self.subscription, at_period_end=later, key=self.bench.base.ids.new())
        await self.bench.deliver("customer.subscription.updated", self.subscription)

    async def leave(self) -> None:
        await self.bench.adapter.leave(self.bench.space, self.bench.fan)

    async def join(self) -> None:
        await self.bench.adapter.join(self.bench.space, self.bench.fan)

    async def look(self) -> None:
        await drift(self.bench.base).run()

    async def sweep(self) -> None:
        self.bench.clock.advance(timedelta(days=self.chance.randint(1, 20)))
        await sweeper(self.bench.base, self.bench.cases).run()

    async def compare(self) -> None:
        await catch_up(self.bench.base, self.bench.cases).run()

    async def break_or_mend(self) -> None:
        self.thing.reachable = not self.thing.reachable
        await self.bench.cases.unblocker.probe(self.bench.space, cause=CauseId(self.bench.base.ids.new()))


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_becomes_of_a_membership_the_record_replayed_says_what_the_rows_say(bench: Bench, seed: int) -> None:
    fate = Fate(bench, random.Random(seed))  # noqa: S311 - replayable
    await fate.begin()
    await agreed(bench)
    for _ in range(8):
        happens = [fate.buy, fate.cancel, fate.leave, fate.join, fate.look, fate.sweep, fate.compare, fate.break_or_mend]
        try:
            await fate.chance.choice(happens)()
        except PermanentError:  # what has ended at the processor cannot be cancelled again
            continue
        await bench.dispatcher.settled()
        await agreed(bench)
