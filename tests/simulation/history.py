"""One history: a seed's choice of what people do and of what goes wrong, played, then judged once all is quiet."""

import gc
import logging
import random
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.exc import SAWarning

from core.ids import CauseId, CommunityId
from tests.simulation import loop
from tests.simulation.faults import Faults, Trouble, chosen
from tests.simulation.invariants import violations
from tests.simulation.people import People
from tests.simulation.program import AWAY, Gone
from tests.simulation.town import FANS, Town, close_town, open_town

Act = tuple[tuple[Any, ...], Trouble | None]
ACTS = (2, 5)
"""How many a history has, at least and at most."""
QUIET = (timedelta(hours=2), timedelta(hours=26))
"""When the quiet is looked at: within it every pause ends, and everything is compared with the processor once."""


@dataclass(frozen=True, slots=True)
class Script:
    """What happens, as data: to be played again, and with less in it."""

    seed: int
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found wrong, which fault struck which step, and a line for each thing that happened, the same whenever it is played."""

    found: tuple[str, ...]
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    trace: tuple[str, ...] = ()


def written(seed: int) -> Script:
    """Write the history of a seed."""
    rng = random.Random(seed)  # noqa: S311 - the whole point
    first = ("buys", 0, rng.choice(["Gold", "Silver"]), rng.choice(["good", "good", "fails later"]))
    acts = [_act(rng) for _ in range(rng.randint(*ACTS))]
    return Script(seed, ((first, chosen(rng)), *((act, chosen(rng)) for act in acts)))


def _act(rng: random.Random) -> tuple[Any, ...]:
    who, plan, role = rng.randrange(FANS), rng.choice(["Gold", "Gold", "Silver", "Life"]), rng.choice(["Gold", "Member"])
    acts: list[tuple[tuple[Any, ...], int]] = [
        (("buys", who, plan, rng.choice(["good", "good", "fails later"])), 6),
        (("hurries", who, plan), 1),
        (("looks", who, plan), 1),
        (("cancels", who), 3),
        (("resumes", who), 1),
        (("ends", who), 2),
        (("is refunded", who), 3),
        (("is refunded in part", who), 1),
        (("pays at last", who), 2),
        (("leaves", who), 2),
        (("joins", who), 3),
        (("switches", who), 2),
        (("asks", who), 1),
        (("moves", role, True), 1),
        (("moves", role, False), 1),
        (("kicks",), 1),
        (("adds again",), 1),
        (("gives", who, role), 1),
        (("archives", plan), 1),
        (("waits", rng.choice([0.01, 1, 4, 9, 32])), 6),
    ]
    return rng.choices([act for act, _ in acts], [weight for _, weight in acts])[0]


async def do(people: People, act: tuple[Any, ...]) -> None:  # noqa: C901, PLR0912 - a table of all there is
    """Do one thing."""
    match act:
        case ("buys", int(who), str(plan), str(card)):
            await people.buys(who, plan, card)
        case ("hurries", int(who), str(plan)):
            await people.hurries(who, plan)
        case ("looks", int(who), str(plan)):
            await people.at_the_checkout(who, plan)
        case ("cancels", int(who)):
            people.cancels(who)
        case ("resumes", int(who)):
            people.cancels(who, resumes=True)
        case ("ends", int(who)):
            people.ends(who)
        case ("is refunded", int(who)):
            people.is_refunded(who)
        case ("is refunded in part", int(who)):
            people.is_refunded(who, 100)
        case ("pays at last", int(who)):
            people.pays_at_last(who)
        case ("leaves", int(who)):
            await people.leaves(who)
        case ("joins", int(who)):
            await people.joins(who)
        case ("switches", int(who)):
            await people.switches(who)
        case ("asks", int(who)):
            await people.asks(who)
        case ("moves", str(role), bool(above)):
            await people.moves(role, above=above)
        case ("kicks",):
            await people.kicks()
        case ("adds again",):
            await people.adds_again()
        case ("gives", int(who), str(role)):
            people.gives(who, role)
        case ("archives", str(plan)):
            await people.archives(plan)
        case ("waits", days):
            await _time_passes(people.town, days)


async def _time_passes(town: Town, days: float) -> None:
    """Let days pass, in which a program that is gone is started again and looks around within the first.

    One that stays away for a month, as no supervisor would have it, can't learn of payments it was never told of.
    """
    await town.advance(timedelta(days=min(1, days)))
    if not any(program.alive for program in town.programs):
        with suppress(Gone, *AWAY):
            await town.restart()
    await town.advance(timedelta(days=days - min(1, days)))


async def _play(script: Script) -> Outcome:
    town = await open_town(script.seed)
    try:
        people, trace = People(town), list[str]()
        async for line in _acts(people, Faults(town), script):
            trace.append(line)
        return Outcome(tuple(await _judged(people)), town.met, (*trace, state_of(people)))
    finally:
        await close_town(town)


async def _acts(people: People, faults: Faults, script: Script) -> AsyncIterator[str]:
    """Play each act with its trouble, and say how things stand after it."""
    for act, trouble in script.acts:
        await faults.during(trouble, str(act[0]), partial(do, people, act))
        people.town.release()
        yield f"{act} {trouble} {state_of(people)}"
    await faults.over()


async def _judged(people: People) -> list[str]:
    """Let everything come to rest, and return what is wrong then."""
    town = people.town
    await quiet(people)
    found = violations(people)
    changes = [len(program.adapter.changes) for program in town.programs]
    await town.look()
    if changes != [len(program.adapter.changes) for program in town.programs]:
        found.append("rest: a look at what is in order changed something on the platform")
    return found


async def quiet(people: People) -> None:
    """Mend what people broke and let time pass until everything has come to rest."""
    town = people.town
    town.release()
    town.place.may_manage = True
    for thing in town.place.things.values():
        thing.reachable = True
    await people.adds_again()
    for pause in QUIET:
        await town.advance(pause)
        await _go_on(town)


async def _go_on(town: Town) -> None:
    """Let a community that was stopped go on, once its creator has looked."""
    for (community,) in town.disk.ask("SELECT id FROM communities WHERE stopped_at IS NOT NULL AND confirmed_at IS NULL"):
        communities = town.program.cases.desk.communities
        await town.program.ask(communities.confirm(CommunityId(community), actor="operator", cause=CauseId(town.ids.new())))


def state_of(people: People) -> str:
    """Return in a line how things stand, to be compared when it is played again."""
    town = people.town
    held = [sorted(town.place.members.get(fan, {"out"})) for fan in town.fans]
    rows = [town.disk.ask(f"SELECT count(*) FROM {table}")[0][0] for table in ("inbox", "outbox", "grants", "audit", "ledger")]  # noqa: S608
    return f"{town.clock.now():%d %H:%M:%S} {held} {rows} {len(town.letters)}"


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep the log and the search for garbage out of the way: both take longer than what they look at."""
    logging.disable(logging.CRITICAL)
    gc.disable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # a process that is gone has not given its connections back
        try:
            yield
        finally:
            gc.enable()
            gc.collect()
            logging.disable(logging.NOTSET)


def play(script: Script) -> Outcome:
    """Play a history in a loop of its own."""
    order = random.Random(script.seed + 1)  # noqa: S311
    main: Callable[[], Awaitable[Outcome]] = lambda: _play(script)  # noqa: E731
    outcome: Outcome = loop.run(main, order)
    return outcome


def shrunk(script: Script, judge: Callable[[Script], bool]) -> Script:
    """Leave out whatever a failing history fails without: acts, then troubles. ``judge`` says whether one still fails."""
    for number in reversed(range(len(script.acts))):
        without = Script(script.seed, script.acts[:number] + script.acts[number + 1 :])
        if judge(without):
            script = without
    for number, (act, trouble) in enumerate(script.acts):
        calm = Script(script.seed, (*script.acts[:number], (act, None), *script.acts[number + 1 :]))
        if trouble is not None and judge(calm):
            script = calm
    return script
