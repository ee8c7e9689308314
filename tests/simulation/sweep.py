"""``make crash-sweep``: what the demo shows, played once for every moment at which the process may end, to the same end each time.

A moment is the one before a commit, the one before a call that leaves the process, and the one after it: between two of them nothing
lasting happens. What the same moments do over real sockets, ``tests/walks/test_power_cuts.py`` tries on a payment.
"""

import os
import random
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context

from core.platform import EventKind
from sandbox.faults import Fault, FaultKind
from tests.simulation import loop
from tests.simulation.history import quiet, undisturbed
from tests.simulation.people import People
from tests.simulation.program import Gone
from tests.simulation.town import PLANS, PRICES, Letter, close_town, empty_town, found, open_town

MONTH = timedelta(days=32)
WEEK = timedelta(days=8)


class Stubborn(People):
    """People who try again when a page broke, and an operator who starts again what ended."""

    async def revived(self) -> None:
        """Start the product again where it is gone."""
        town = self.town
        for program in [one for one in town.programs if not one.alive]:
            await town.bury(program)
        if not town.programs:
            await town.restart()
            await town.settled()

    async def insists(self, who: int = 0, plan: str = "Gold", card: str = "good") -> None:
        """Buy, again until it is bought."""
        for _ in range(3):
            await self.buys(who, plan, card)
            await self.town.settled()
            await self.revived()
            if any(payer == who and bought == plan for payer, bought in self.bought.values()):
                return

    async def passes(self, time: timedelta) -> None:
        """Let time pass, whoever lives through it."""
        await self.town.advance(time)
        await self.revived()

    async def orders(self, words: str, **options: object) -> None:
        """Give a command as the creator; one that could not be handed in is given again."""
        for _ in range(2):
            with suppress(Gone):
                await self.town.program.ask(self.town.program.adapter.ask(self.town.space, self.town.creator, words, **options))
                break
            await self.revived()
        await self.town.settled()
        await self.revived()


Scenario = Callable[[Stubborn], Awaitable[None]]


async def bot_is_added_and_plans_are_made(people: Stubborn) -> None:
    """The creator adds the bot and makes what is sold."""
    town = people.town
    await town.happens(EventKind.SPACE_ADDED, town.creator, town.place.name)
    await town.settled()
    await people.revived()
    for plan, (role, *more) in PLANS.items():
        price, interval = PRICES[plan]
        await people.orders("doorman plan create", name=plan, price=price, interval=interval, role=town.roles[role])
        for other in more:
            await people.orders("doorman plan add", plan=plan, role=town.roles[other])


async def stranger_is_inside(people: Stubborn) -> None:
    """Somebody from outside pays, comes in, and holds what they paid for."""
    await people.insists(2)
    await people.joins(2)
    await people.town.settled()


async def second_click(people: Stubborn) -> None:
    """Two clicks at once, one payment."""
    await people.hurries(0, "Gold")
    await people.town.settled()
    await people.revived()
    await people.insists(0)


async def something_for_life(people: Stubborn) -> None:
    """Paid once, for ever."""
    await people.insists(0, "Life")


async def renewal(people: Stubborn) -> None:
    """A month passes, and it is paid for again."""
    await people.insists()
    await people.passes(MONTH)


async def grace_ends(people: Stubborn) -> None:
    """A renewal fails, reminders go out, and access ends."""
    await people.insists(card="fails later")
    await people.passes(MONTH)
    await people.passes(WEEK)


async def cancel_keeps_access(people: Stubborn) -> None:
    """Cancelled at the period's end: open until then, and not after."""
    await people.insists()
    people.cancels(0)
    await people.passes(timedelta(days=1))
    await people.passes(MONTH)


async def one_of_two_ends(people: Stubborn) -> None:
    """Two plans that share a role; one of them ends."""
    await people.insists(0, "Gold")
    await people.insists(0, "Silver")
    people.ends(0)
    await people.passes(timedelta(hours=1))


async def money_is_given_back(people: Stubborn) -> None:
    """All of the money goes back, and access with it."""
    await people.insists()
    people.is_refunded(0)
    await people.passes(timedelta(hours=1))


async def leaves_and_rejoins(people: Stubborn) -> None:
    """A member leaves and comes back."""
    await people.insists()
    await people.leaves(0)
    await people.passes(timedelta(hours=1))
    await people.joins(0)
    await people.passes(timedelta(hours=1))


async def platform_is_down(people: Stubborn) -> None:
    """Paid while the platform does not answer."""
    outage = Fault("memory", FaultKind.SERVER_ERROR, times=None)
    people.town.rules.append(outage)
    await people.insists()
    people.town.rules.remove(outage)
    await people.passes(timedelta(hours=1))


async def webhooks_twice_and_late(people: Stubborn) -> None:
    """Every word of the processor's comes twice, and the old ones once more after the end."""
    people.town.rules.append(Fault("stripe", FaultKind.DUPLICATE, "WEBHOOK", times=None))
    await people.insists()
    people.ends(0)
    await people.passes(timedelta(hours=1))
    people.town.rules.clear()
    account = people.town.model.default
    people.town.letters += [Letter(account, event, people.town.clock.now()) for event in account.table("event")]
    await people.passes(timedelta(hours=1))


async def role_is_moved_above_the_bot_and_mended(people: Stubborn) -> None:
    """A role the bot may not give, and then may."""
    await people.insists(0)
    await people.moves("Gold", above=True)
    people.ends(0)
    await people.passes(timedelta(hours=1))
    await people.moves("Gold", above=False)
    await people.passes(timedelta(hours=2))


SCENARIOS: tuple[Scenario, ...] = (
    bot_is_added_and_plans_are_made,
    stranger_is_inside,
    second_click,
    something_for_life,
    renewal,
    grace_ends,
    cancel_keeps_access,
    one_of_two_ends,
    money_is_given_back,
    leaves_and_rejoins,
    platform_is_down,
    webhooks_twice_and_late,
    role_is_moved_above_the_bot_and_mended,
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a scenario ended. ``points`` are the moments it went through until it was cut, if it was."""

    state: tuple[object, ...]
    points: tuple[str, ...]


def ended(scenario: Scenario, cut_at: int | None = None) -> Ending:
    """Play a scenario to its end; with ``cut_at`` the process ends at the moment of this number (from 1)."""

    async def play() -> Ending:
        await found()
        town = await (empty_town() if scenario is bot_is_added_and_plans_are_made else open_town(7))
        try:
            people = Stubborn(town)
            power = town.program.power
            power.arm(cut_at)
            await scenario(people)
            await people.revived()
            points = tuple(power.points)
            power.restore()
            await quiet(people)
            return Ending(state(people), points)
        finally:
            await close_town(town)

    ending: Ending = loop.run(play, random.Random(7))  # noqa: S311
    return ending


def state(people: People) -> tuple[object, ...]:
    """Return how everything stands, without the ids that chance has given."""
    town, ask = people.town, people.town.disk.ask
    names = {external: name for name, external in town.roles.items()}
    account = town.model.default
    return (
        [sorted(names[one] for one in town.place.members.get(fan, ())) for fan in town.fans],
        [row["status"] for row in account.table("subscription")],
        [(row["amount"], row["amount_refunded"]) for row in account.table("charge") if row["paid"]],
        [row["name"] for row in account.table("product")],
        ask("SELECT credit, amount FROM ledger ORDER BY credit, amount"),
        ask("SELECT state, count(*) FROM entitlements GROUP BY state"),
        ask("SELECT wanted, actual, status, count(*) FROM grants GROUP BY wanted, actual, status"),
        ask("SELECT count(*) FROM inbox WHERE status <> 'done'"),
        ask("SELECT name FROM plans ORDER BY name"),
        ask("SELECT what FROM trespasses"),
    )


def swept(name: str, share: int = 0, of: int = 1) -> tuple[int, list[str]]:
    """Cut a scenario at every moment of a share of them; return at how many, and what ended otherwise than uncut."""
    scenario = next(one for one in SCENARIOS if one.__name__ == name)
    with undisturbed():
        whole = ended(scenario)
        numbers = range(share + 1, len(whole.points) + 1, of)
        wrong = []
        for number in numbers:
            cut = ended(scenario, number)
            if cut.state != whole.state:
                differs = [f"{mine} instead of {theirs}" for mine, theirs in zip(cut.state, whole.state, strict=True) if mine != theirs]
                wrong.append(f"{name}, cut at {number} ({cut.points[-1]}): {'; '.join(differs)}")
    return len(numbers), wrong


def sweep(jobs: int | None = None, shares: int = 4) -> Iterator[tuple[str, int, list[str]]]:
    """Cut every scenario everywhere, and yield its name, at how many moments, and what went wrong."""
    with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        parts = {pool.submit(swept, one.__name__, share, shares): one.__name__ for one in SCENARIOS for share in range(shares)}
        for done in as_completed(parts):
            yield parts[done], *done.result()
