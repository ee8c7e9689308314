"""A small town in which one thing goes wrong: fans, a creator, and words for what is looked at afterwards."""

import gc
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import SAWarning

from core.ids import CauseId, PlatformUserId
from core.people import Identity
from sandbox.faults import Fault, FaultKind
from sandbox.memory.world import NAME
from sandbox.stripe.resource import Resource
from tests.simulation import loop
from tests.simulation.people import People
from tests.simulation.program import AWAY, Gone, Program
from tests.simulation.town import Letter, close_town, open_town

HOUR = timedelta(hours=1)
GOLD = {"Member", "Gold"}


class Scene(People):
    """What people do, each time until nothing is left to be done about it."""

    async def pays(self, who: int = 0, plan: str = "Gold", card: str = "good") -> None:
        """Buy, and let everything follow."""
        await self.buys(who, plan, card)
        await self.town.settled()

    def holds(self, who: int = 0, user: PlatformUserId | None = None) -> set[str] | None:
        """Return the roles somebody holds, None outside."""
        held = self.town.place.members.get(user or self.user(who))
        return None if held is None else {name for name, one in self.town.roles.items() if one in held}

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Look into the database."""
        return self.town.disk.ask(sql, *parameters)

    def copied(self, table: str, where: str, **changed: object) -> None:
        """Store a row like one that is there, with some of it changed."""
        columns = [row[1] for row in self.rows(f"PRAGMA table_info({table})")]
        values = ", ".join("?" if column in changed else column for column in columns)
        given = [changed[column] for column in columns if column in changed]
        self.town.disk.change(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE {where}", *given)  # noqa: S608

    def heard(self, user: PlatformUserId | None = None) -> list[str]:
        """Return what was written to somebody, the creator unless said."""
        return self.town.world.people[user or self.town.creator].inbox

    def calls(self, *verbs: str) -> int:
        """Count the calls of the processes that run."""
        return sum(call.verb in verbs for program in self.town.programs for call in program.adapter.calls)

    def asked(self) -> list[Resource]:
        """Return every Checkout Session there is."""
        return list(self.town.model.default.table("checkout.session"))

    def subscription(self, who: int = 0) -> Resource:
        """Return somebody's last subscription."""
        return self.subscriptions(who)[-1]

    def told(self, kind: str) -> Resource:
        """Return the last event of a type."""
        return self.town.model.default.table("event").where("type", kind)[-1]

    async def delivers(self, *events: Resource) -> None:
        """Have events delivered now, each once more if it was before."""
        self.town.letters += [Letter(self.town.model.default, event, self.town.clock.now()) for event in events]
        await self.town.settled()

    def goes_wrong(self, service: str, kind: FaultKind, route: str = "", times: int | None = 1, **more: float) -> Fault:
        """Have calls go wrong."""
        self.town.rules.append(Fault(service, kind, route, times, **more))  # type: ignore[arg-type]
        return self.town.rules[-1]

    @contextmanager
    def lost(self) -> Iterator[None]:
        """Lose every delivery while the block lasts."""
        rule = self.goes_wrong("stripe", FaultKind.DROP, "WEBHOOK", times=None)
        yield
        self.town.rules.remove(rule)

    async def again(self) -> Program:
        """Start the product again once it is gone; nobody looks at anything that is not due."""
        for program in list(self.town.programs):
            await self.town.bury(program)
        program = await self.town.start()
        await self.town.settled()
        return program

    async def dies(self, point: str) -> None:
        """Have the product end at its next call or commit of this name."""
        self.town.program.power.arm(cut_in=point)

    def crowd(self, number: int) -> None:
        """Have so many more members like the one there is, each with a subscription of their own."""
        table, one = self.town.model.default.table("subscription"), self.subscription()
        for who in range(number):
            new = f"crowd-{who}"
            self.copied("members", "id NOT LIKE 'crowd%'", id=new)
            self.copied("accounts", "id NOT LIKE 'crowd%'", id=new, member_id=new, external_id=new)
            self.copied("subscriptions", "id NOT LIKE 'crowd%'", id=new, member_id=new, stripe_subscription_id=f"sub_{new}")
            self.copied("entitlements", "id NOT LIKE 'crowd%'", id=new, member_id=new, source_id=new)
            for which, (grant,) in enumerate(self.rows("SELECT id FROM grants WHERE id NOT LIKE 'crowd%'")):
                self.copied("grants", f"id = '{grant}'", id=f"{new}-{which}", member_id=new, account_id=new)
            table.add(Resource({**one, "id": f"sub_{new}"}, dict(one.hidden)))

    async def command(self, words: str, **options: object) -> str:
        """Let the creator type a command, and return the answer's title."""
        program = self.town.program
        request = await program.ask(program.adapter.ask(self.town.space, self.town.creator, words, **options))
        await self.town.settled()
        return program.adapter.answers[request.id].title

    async def community(self) -> Any:  # noqa: ANN401 - an id
        """Return the one community."""
        program = self.town.program
        return (await program.ask(program.cases.desk.communities.of_space(self.town.space))).community_id

    def cause(self) -> CauseId:
        """Return a new cause."""
        return CauseId(self.town.ids.new())

    def other(self, who: int) -> Identity:
        """Return somebody else's identity than a fan's own: their second account."""
        return Identity(NAME, self.town.world.realm, self.town.fans[who + 3], f"Fan {who} again")

    async def minutes(self, number: int) -> None:
        """Let minutes pass one by one; what is due is done, nobody looks for what is not."""
        for _ in range(number):
            self.town.clock.advance(timedelta(minutes=1))
            with suppress(Gone, *AWAY):
                await self.town.settled()


def played(test: Callable[[Scene], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Play a test in a town of its own, in a loop without real time: three fans, of whom two are in the space already."""

    async def play() -> None:
        town = await open_town(len(test.__name__))
        try:
            await test(Scene(town))
        finally:
            await close_town(town)

    def play_it() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # a process that is gone has not given its connections back
            loop.run(play, None)
            gc.collect()

    play_it.__name__, play_it.__qualname__, play_it.__module__, play_it.__doc__ = (
        test.__name__, test.__qualname__, test.__module__, test.__doc__,
    )  # fmt: skip
    return play_it
