"""Webhooks shuffled, repeated and half of them lost: after one sweep with catch-up the roles equal what Stripe says."""

import random
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sandbox.discord.people import CannotError, Person
from sandbox.faults import Fault, FaultKind, FaultPlan
from sandbox.stripe.people import GOOD_CARD, Refused
from sandbox.stripe.resource import Resource
from tests.truth import opens
from tests.walks.shop import FAILS_LATER, Shop, open_shop
from tests.walks.stage import Stage, open_stage

FANS = 3
STEPS = st.one_of(
    st.tuples(st.just("buys"), st.integers(0, FANS - 1), st.sampled_from(["Gold", "Silver"]), st.sampled_from([GOOD_CARD, FAILS_LATER])),
    st.tuples(st.just("cancels"), st.integers(0, FANS - 1)),
    st.tuples(st.just("refunded"), st.integers(0, FANS - 1)),
    st.tuples(st.just("days"), st.sampled_from([1, 9, 31])),
)


class Chaos(FaultPlan):
    """Loses half of the webhooks and sends the others up to ten times, late and out of order.

    They are lost in bursts, a step of the story altogether or not at all: of what is told three times something would else mostly arrive.
    """

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self._deaf = False

    def turn(self) -> None:
        """Begin the next step of the story."""
        self._deaf = self._chance.random() < 0.5

    def take(self, service: str, what: str) -> Fault | None:
        if not what.startswith("WEBHOOK "):
            return super().take(service, what)
        kinds = [FaultKind.DROP] if self._deaf else [FaultKind.DUPLICATE] * 2 + [FaultKind.REORDER, FaultKind.DELAY]
        copies, seconds = self._chance.randint(1, 10), self._chance.uniform(1, 3 * 24 * 3600)
        return Fault(service, self._chance.choice(kinds), copies=copies, seconds=seconds)


@dataclass
class Story:
    """A generated history, and who ought to hold what by Stripe's own word."""

    shop: Shop
    links: dict[str, str]
    fans: list[Person]
    of: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Whose a subscription is, and of which plan."""

    @property
    def stage(self) -> Stage:
        return self.shop.stage

    async def plays(self, step: tuple[object, ...]) -> None:
        """Do one thing, if it can be done now; what a person is refused is no part of the history."""
        match step:
            case ("buys", int(who), str(plan), str(card)):
                known = {one.id for one in self.stage.subscriptions()}
                with suppress(AssertionError, Refused):
                    await self.shop.buys(self.fans[who], self.links[plan], card)
                self.of |= {one.id: (who, plan) for one in self.stage.subscriptions() if one.id not in known}
            case ("cancels", int(who)):
                with suppress(Refused, LookupError, CannotError):
                    await self.shop.cancels(self.fans[who])
            case ("refunded", int(who)):
                for charge in [one for one in self._latest_charges(who) if not one["refunded"]][-1:]:
                    await self.stage.town.cashiers.refund(charge.id)
                await self.stage.settled()
            case ("days", int(days)):
                await self.stage.advance(days=days)

    def _latest_charges(self, who: int) -> list[Resource]:
        customers = {one["customer"] for one in self.stage.subscriptions() if self.of[one.id][0] == who}
        return [one for one in self.stage.charges() if one["customer"] in customers]

    def ought(self, who: int) -> set[str]:
        """Return the roles somebody ought to hold, worked out from Stripe's objects alone."""
        now = self.stage.town.clock.now().timestamp()
        return {
            plan
            for one in self.stage.subscriptions()
            for owner, plan in [self.of[one.id]]
            if owner == who and opens(self.stage.stripe, one, now)
        }


@pytest.mark.long
@pytest.mark.timeout(180)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), database=None, phases=[Phase.generate])
@given(steps=st.lists(STEPS, min_size=3, max_size=7), seed=st.integers(0, 2**32))
async def test_after_any_loss_doubling_and_reordering_one_round_makes_roles_equal_stripe_and_the_next_changes_nothing(
    migrated_sqlite: Path, in_memory: Path, record: Path | None, steps: list[tuple[object, ...]], seed: int
) -> None:
    path = Path(tempfile.mkdtemp(dir=in_memory)) / "doorman.db"
    shutil.copyfile(migrated_sqlite, path)
    async with open_stage(f"sqlite:///{path}", record=record) as stage:
        shop = await open_shop(stage, "Silver", "Gold")
        links = {name: await shop.sells(name, role=name) for name in ("Gold", "Silver")}
        story = Story(shop, links, [shop.fan(f"fan{number}") for number in range(FANS)])
        stage.town.wire.faults = chaos = Chaos(random.Random(seed))  # noqa: S311 - replayed from the seed
        for step in [("buys", 0, "Gold", GOOD_CARD), *steps]:
            chaos.turn()
            await story.plays(step)
        stage.town.wire.faults = FaultPlan()
        await stage.advance(days=1)  # one round of sweep and catch-up, a whole comparison among it
        assert [shop.holds(fan) for fan in story.fans] == [story.ought(who) for who in range(FANS)]
        before = stage.changes()
        await stage.advance(minutes=10)
        assert stage.changes()[len(before) :] == []
