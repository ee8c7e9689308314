"""All that is outside the product, and the processes that run it: one made-up world for each history."""

import asyncio
import base64
import itertools
import json
import random
import sqlite3
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import StaticPool, create_engine

from billing.routing import ROUTES
from core.clock import SystemClock
from core.ids import CauseId, PlatformUserId
from core.platform import EventKind, PlatformEvent
from sandbox.clock import VirtualClock
from sandbox.faults import Fault, FaultKind
from sandbox.mark import MARK
from sandbox.memory import MemoryWorld
from sandbox.stripe.account import Account
from sandbox.stripe.events import create_endpoint, note_delivery
from sandbox.stripe.model import Answer, Request, StripeModel
from sandbox.stripe.resource import Resource
from sandbox.stripe.signature import sign
from storage.inbox import Busy
from storage.tables import metadata
from tests.simulation.disk import Disk
from tests.simulation.program import AWAY, Gone, Machine, Program, Skewed
from tests.walks.power import Power, PowerPlan

FANS = 3
ROLES = ("Member", "Gold", "Silver", "Life")
PLANS = {"Gold": ("Member", "Gold"), "Silver": ("Member", "Silver"), "Life": ("Life",)}
PRICES = {"Gold": ("9.99 USD", "month"), "Silver": ("5 USD", "month"), "Life": ("99 USD", "once")}
AGAIN = timedelta(hours=1)
"""When a delivery that was not taken in is sent again."""
LATER = 1000
"""The first id of what happens once the plans are made."""
ENDPOINT = "https://doorman.example/webhooks/stripe"

TRESPASSES = """
CREATE TABLE trespasses (what TEXT);
CREATE TABLE to_say (subject TEXT, payload TEXT);
CREATE TRIGGER to_be_said AFTER INSERT ON outbox WHEN NEW.kind = 'notice'
BEGIN INSERT INTO to_say VALUES (NEW.subject, NEW.payload); END;
CREATE TRIGGER finished AFTER UPDATE OF status ON outbox
WHEN NEW.status = 'done' AND process() IS NOT (SELECT owner FROM lanes WHERE lane = NEW.lane)
BEGIN INSERT INTO trespasses VALUES (process() || ' finished ' || NEW.kind || ' on ' || NEW.lane); END;
CREATE TRIGGER granted AFTER UPDATE OF actual ON grants
WHEN NEW.actual = 'granted' AND OLD.actual <> 'granted' AND process() IS NOT (SELECT owner FROM lanes WHERE lane = NEW.lane)
BEGIN INSERT INTO trespasses VALUES (process() || ' recorded a grant on ' || NEW.lane); END;
"""
"""Notes who records results on a lane that is another's (each connection knows whose it is), and all that was ever to be said."""


class SeededIds:
    """Ids that come again with the seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def new(self) -> str:
        return base64.urlsafe_b64encode(self._rng.randbytes(16)).decode().rstrip("=")

    def secret(self) -> str:
        return base64.urlsafe_b64encode(self._rng.randbytes(24)).decode().rstrip("=")[: -len(MARK)] + MARK


class WatchedPlan(PowerPlan):
    """A process's fault plan: the rules are the town's, and what struck where is counted."""

    def __init__(self, power: Power, rules: list[Fault], met: Counter[tuple[str, str]]) -> None:
        super().__init__(power)
        self.rules, self._met = rules, met

    def take(self, service: str, what: str) -> Fault | None:
        fault = super().take(service, what)
        if fault is not None and not self._power.gone.is_set():
            self._met[str(fault.kind), step_of(service, what)] += 1
        return fault


def step_of(service: str, what: str) -> str:
    """Return what a call is, without whom it is about."""
    words = [word for word in what.split("/") if not (len(word) > 12 and "_" in word)]  # an id is no part of a route
    return f"{service} {'/'.join(words)}"


@dataclass
class Letter:
    """A delivery of the processor's that is to be made."""

    account: Account
    event: Resource
    due: datetime


@dataclass(frozen=True)
class Founded:
    """What a town is like once its creator has made the plans: to be copied, for making them takes long."""

    template: sqlite3.Connection
    asked: tuple[Request, ...]
    """What the product asked of the processor for it."""
    links: dict[str, str]


@dataclass
class Town:
    """The world and its processes. ``rng`` decides what the world leaves to chance."""

    rng: random.Random
    clock: VirtualClock = field(default_factory=VirtualClock)
    rules: list[Fault] = field(default_factory=list)
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often a fault struck a step."""
    programs: list[Program] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    held: list[Letter] = field(default_factory=list)
    accepted: dict[str, datetime] = field(default_factory=dict)
    """The events that were taken in, and when they happened."""
    bugs: list[str] = field(default_factory=list)
    founded: bool = False
    excuses: int = 0
    """How often something happened by which a message may have been sent twice."""

    def __post_init__(self) -> None:
        self.world, self.model = MemoryWorld(), StripeModel(self.clock, 0)
        self.ids = SeededIds(self.rng)
        self.power = Power()
        self.creator = self.world.person("Cleo")
        self.space = self.world.space("Cleo's place", self.creator)
        self.roles = {name: self.world.thing(self.space, name).external_id for name in ROLES}
        self.place = self.world.places[self.space.external_id]
        self.fans = [self.world.person(f"Fan {number}") for number in range(2 * FANS)]
        self.place.members |= {fan: set() for fan in self.fans[: FANS - 1]}
        endpoint = create_endpoint(self.model.default, {"url": ENDPOINT, "enabled_events": sorted(ROUTES), "connect": False})
        self.secret = str(endpoint.hidden["secrets"][0])
        self._endpoint = endpoint.id
        self.model.on_event(self._posted)
        self.links: dict[str, str] = {}
        self.disk: Disk

    # the processes

    def machine(self, power: Power, skew: timedelta = timedelta(0), *, grants_only: bool = False) -> Machine:
        """Return what a new process is to run on."""
        plan = WatchedPlan(power, self.rules, self.met)
        clock = Skewed(self.clock, skew) if skew else self.clock
        return Machine(clock, self.ids, self.rng, self.disk, self.model, self.secret, self.world, plan, power, grants_only)

    async def start(self, number: int = 0, skew: timedelta = timedelta(0), *, grants_only: bool = False) -> Program:
        """Start a process; Gone when it does not come up. Its first look at everything is the caller's to call for."""
        power = Power()
        program = Program(self.machine(power, skew, grants_only=grants_only), number, f"process {self.ids.new()[:6]}")
        try:
            await program.start()
        except Gone:
            await program.abandon()
            raise
        self.programs.append(program)
        return program

    async def restart(self, skew: timedelta = timedelta(0)) -> Program:
        """Have one process alone, freshly started."""
        for program in list(self.programs):
            await self.bury(program)
        program = await self.start(skew=skew)
        await self._connected(program)
        if self.founded:
            await program.look()
        return program

    async def bury(self, program: Program) -> None:
        """Take a process away: orderly when it still runs, at once when it is gone."""
        self.programs.remove(program)
        self.excuses += not program.alive
        await (program.stop() if program.alive else program.abandon())
        self.bugs += program.bugs

    async def _connected(self, program: Program) -> None:
        """Say in which spaces it is, as a platform does to whoever connects."""
        if self.place.ours and program.adapter.listener is not None:
            event = self._event(EventKind.SPACE_ADDED, self.creator, self.place.name)
            with suppress(Gone, Busy):
                await program.ask(program.adapter.listener.on_event(event))

    @property
    def program(self) -> Program:
        """A process that runs; Gone when none does."""
        running = [program for program in self.programs if program.alive]
        if not running:
            raise Gone
        return running[0] if len(running) == 1 else self.rng.choice(running)

    async def settled(self) -> None:
        """Deliver what is due and have every process do what there is to do at this moment."""
        for _ in range(50):
            await self._deliver()
            for program in [one for one in self.programs if one.alive]:
                with suppress(Gone):
                    await program.settled()
            if not self._due():
                return

    async def look(self) -> None:
        """Let every process look at what is due, then settle."""
        for program in [one for one in self.programs if one.alive]:
            with suppress(Gone):
                await program.look()
        await self.settled()

    async def advance(self, by: timedelta) -> None:
        """Let time pass, and all that falls due at the processor happen in it."""
        self.clock.advance(by)
        self.model.tick()
        await self.settled()
        await self.look()

    # what the platform tells

    def _event(self, kind: EventKind, user: PlatformUserId | None = None, name: str = "") -> PlatformEvent:
        return PlatformEvent(self.world.new_id(), kind, self.space, self.clock.now(), user, name)

    async def happens(self, kind: EventKind, user: PlatformUserId | None = None, name: str = "") -> None:
        """Tell every process of something; each hears of it under the same id, some twice, and none when it is lost."""
        event = self._event(kind, user, name)
        fault = next((rule for rule in self.rules if rule.service == "memory" and rule.route == "EVENT"), None)
        if fault is not None:
            self.met[str(fault.kind), f"memory EVENT {kind}"] += 1
            self.rules.remove(fault)
            if fault.kind is FaultKind.DROP:
                return
        for program in [one for one in self.programs if one.alive]:
            for _ in range(2 if fault is not None else 1):
                if program.adapter.listener is not None:
                    with suppress(Gone, Busy):
                        await program.ask(program.adapter.listener.on_event(event))

    # what the processor tells

    def _posted(self, account: Account, event: Resource) -> None:
        what = f"WEBHOOK {event['type']}"
        rule = next((one for one in self.rules if one.service == "stripe" and one.route == "WEBHOOK"), None)
        letter = Letter(account, event, self.clock.now())
        if rule is None:
            self.letters += [*self._released(), letter]
            return
        self.met[str(rule.kind), f"stripe {what}"] += 1
        match rule.kind:
            case FaultKind.DROP:
                return
            case FaultKind.DELAY:
                letter.due += timedelta(seconds=rule.seconds)
                self.letters.append(letter)
            case FaultKind.DUPLICATE:
                self.letters += [letter, Letter(account, event, letter.due + self.rng.choice([timedelta(0), timedelta(days=1)]))]
            case _:
                self.held.append(letter)

    def _released(self) -> list[Letter]:
        """Return what was held back to come in another order."""
        held, self.held = self.held[::-1], []
        return held

    def release(self) -> None:
        """Send what was held back, though nothing came after it."""
        self.letters += self._released()

    def _due(self) -> list[Letter]:
        return [letter for letter in self.letters if letter.due <= self.clock.now()]

    async def _deliver(self) -> None:
        due = self._due()
        if due:
            await asyncio.gather(*(self._hand_in(letter) for letter in due))

    async def _hand_in(self, letter: Letter) -> None:
        body = json.dumps(letter.event)
        try:
            await self.program.receive(body.encode(), sign([self.secret], int(SystemClock().now().timestamp()), body))
        except (Gone, Busy, *AWAY):
            letter.due = self.clock.now() + AGAIN
            return
        if letter in self.letters:
            self.letters.remove(letter)
        self.accepted[letter.event.id] = datetime.fromtimestamp(letter.event["created"], UTC)
        note_delivery(letter.account, letter.event, self._endpoint, "delivered")

    # what a person does at the processor's

    def dashboard(self, method: str, path: str, fields: str = "") -> Answer:
        """Ask the processor something as the creator, or as whoever is at its pages."""
        return self.model.handle(Request(method, path, fields, self.model.api_key))


async def open_town(seed: int) -> Town:
    """Open a world in which the plans are made and one process runs."""
    founded = await found()
    town = Town(random.Random(f"a town of seed {seed}"))  # noqa: S311 - the whole point
    for request in founded.asked:
        town.model.handle(request)
    town.links, town.founded = dict(founded.links), True
    town.disk = Disk(founded.template)
    town.world._ids = itertools.count(LATER)  # what was told while the plans were made is not told again under the same id
    await town.start()
    return town


async def empty_town() -> Town:
    """Open a world in which one process runs that nobody has told anything yet."""
    town = Town(random.Random("founding"))  # noqa: S311
    town.disk = Disk(migrated())
    await town.start()
    return town


async def close_town(town: Town) -> None:
    """Take everything down."""
    for program in list(town.programs):
        await town.bury(program)
    town.disk.close()


_founded: list[Founded] = []


@cache
def migrated() -> sqlite3.Connection:
    """Return an empty database with the whole schema."""
    memory = sqlite3.connect(":memory:")
    engine = create_engine("sqlite://", creator=lambda: memory, poolclass=StaticPool)
    metadata().create_all(engine)
    memory.executescript(TRESPASSES)
    return memory


async def found() -> Founded:
    """Have a creator make the plans, once for all histories: in a seed of its own, so that every history finds the same."""
    if not _founded:
        _founded.append(await _found())
    return _founded[0]


async def _found() -> Founded:
    town = Town(random.Random("founding"))  # noqa: S311
    town.disk = Disk(migrated())
    asked: list[Request] = []
    handle = town.model.handle

    def noting(request: Request) -> Answer:
        asked.append(request)
        return handle(request)

    town.model.handle = noting  # type: ignore[method-assign]
    program = await town.restart()
    await town.settled()
    for plan, roles in PLANS.items():
        price, interval = PRICES[plan]
        first, *more = (town.roles[role] for role in roles)
        await _told(town, "doorman plan create", name=plan, price=price, interval=interval, role=first)
        for role in more:
            await _told(town, "doorman plan add", plan=plan, role=role)
        home = await program.ask(program.cases.desk.communities.of_space(town.space))
        made = program.cases.desk.invites.create(home.community_id, plan, actor="memory:1", cause=CauseId(f"founding {plan}"))
        town.links[plan] = (await program.ask(made)).code
    await town.settled()
    template = sqlite3.connect(":memory:")
    await town.bury(program)
    town.disk.copy_to(template)
    town.disk.close()
    return Founded(template, tuple(asked), town.links)


async def _told(town: Town, words: str, **options: object) -> None:
    program = town.program
    request = await program.ask(program.adapter.ask(town.space, town.creator, words, **options))
    await town.settled()
    reply = program.adapter.answers[request.id]
    assert reply.title not in {"That failed", "That won't work", "Please try again"}, reply
