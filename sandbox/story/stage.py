"""Where the story plays: the sandbox, the product in it, and the people."""

import asyncio
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from core.clock import SystemClock
from sandbox.browser import Browser
from sandbox.discord.people import Person
from sandbox.discord.roles import Role
from sandbox.discord.servers import Server
from sandbox.people import Fan
from sandbox.product import Product, free_port, running
from sandbox.stripe.account import Account
from sandbox.stripe.people import GOOD_CARD
from sandbox.stripe.resource import Resource
from sandbox.town import Town, open_town

if TYPE_CHECKING:
    from sandbox.story.doors import Pantry

WITHIN = 20.0
"""Real seconds any step may take to come true."""


class Failed(AssertionError):  # noqa: N818 - what failed is the product
    """A step did not hold; the message says what was to be seen and what was."""


def check(holds: object, what: str) -> None:
    """Raise Failed with ``what`` was to be true, unless it is."""
    if not holds:
        raise Failed(what)


@dataclass
class Stage:
    """Everything a step may look at or act on."""

    town: Town
    product: Product
    ann: Person
    server: Server
    role: Role
    stack: AsyncExitStack
    links: dict[str, str] = field(default_factory=dict)
    """The paid invite link of each plan, by its name."""
    fans: dict[str, Fan[Person]] = field(default_factory=dict)
    sent: list[tuple[float, str]] = field(default_factory=list)
    """When (real, monotonic seconds) each webhook left, and its type."""
    pantry: "Pantry | None" = None
    """What there is on Slack, from the second act on."""
    waited: float | None = None
    """Milliseconds from the webhook to the role, in the step being played."""

    async def fan(self, name: str) -> Fan[Person]:
        """Return a fan by name, bringing them into the story when they are new."""
        if name not in self.fans:
            browser = await self.stack.enter_async_context(Browser())
            self.fans[name] = Fan(self.town.discord.people.user(name), browser, self.town.cashiers)
        return self.fans[name]

    @property
    def link(self) -> str:
        """The link that is posted first, of the plan that is named like the role."""
        return self.links.get(self.role.name, "")

    async def to_checkout(self, fan: Fan[Person], plan: str = "") -> str:
        """Walk from the link to the checkout, as a browser does: open, continue, allow, confirm. Returns the checkout's address."""
        shown = await fan.open(self.links[plan or self.role.name])
        if "You join as" not in shown:
            shown = await fan.sign_in()
        check(f"You join as @{fan.person.name}".lower() in shown.lower(), f"the page asks whether it is {fan.person.name}: {shown}")
        return await fan.confirm()

    async def buys(self, name: str, card: str = GOOD_CARD, *, plan: str = "") -> Fan[Person]:
        """Have a fan pay through the plan's link and wait until its role, of the same name, is on."""
        fan = await self.fan(name)
        await self.to_checkout(fan, plan)
        await fan.pay(card)
        await self.until(lambda: self.holds(fan, plan), f"{name} holds {plan or self.role.name}")
        return fan

    def holds(self, fan: Fan[Person], role: str = "") -> bool:
        """Whether a fan has a role, by the platform's own word."""
        return self.server.has(fan.person) and (role or self.role.name) in self.server.roles_of(fan.person)

    async def until(self, true: Callable[[], object], what: str, within: float = WITHIN) -> None:
        """Wait until the platform's state makes ``true`` so."""
        try:
            await self.town.discord.model.changes.when(true, within)
        except TimeoutError:
            raise Failed(f"not within {within:.0f} s: {what}") from None

    async def stays(self, true: Callable[[], object], what: str) -> None:
        """Let everything that is under way finish, then have ``true`` still be so."""
        await self.settled()
        check(true(), what)

    async def settled(self) -> None:
        """Wait until no webhook is under way and the product has had a moment to work: two sweeps' worth of its own wake-ups."""
        await self.town.stripe.webhooks.settled()
        await asyncio.sleep(1.2)

    async def later(self, **by: float) -> datetime:
        """Let time pass: days, hours, minutes."""
        now = self.town.clock.advance(timedelta(**by))
        await self.town.stripe.webhooks.settled()
        return now

    def measure(self, fan: Fan[Person], since: float) -> None:
        """Note how long it took from the first webhook after ``since`` to the role."""
        moment = self.server.role_moment(fan.person, self.role)
        left = next((at for at, _ in self.sent if at >= since), None)
        self.waited = (moment - left) * 1000 if moment is not None and left is not None else None

    def stripe(self, kind: str) -> list[Resource]:
        """Return what the payment processor holds of a kind."""
        return list(self.town.stripe.account.table(kind).rows)

    def paid(self, fan: Fan[Person]) -> list[Resource]:
        """Return a fan's successful charges: by the customer their checkout made."""
        order = fan.welcome.rpartition("/")[2]
        customers = {row["customer"] for row in self.stripe("checkout.session") if order and row["success_url"].endswith(order)}
        return [row for row in self.stripe("charge") if row["customer"] in customers and row["status"] == "succeeded"]


@asynccontextmanager
async def open_stage(record: Path | None = None) -> AsyncIterator[Stage]:
    """Start the sandbox and the product, in a folder that is gone afterwards."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="doorman-demo-")))
        url = f"http://127.0.0.1:{free_port()}"
        town = await stack.enter_async_context(open_town(url, start=SystemClock().now(), record=record))
        sent: list[tuple[float, str]] = []

        def note(_account: Account, event: Resource) -> None:
            sent.append((time.monotonic(), str(event["type"])))

        town.stripe.model.on_event(note)
        ann = town.discord.people.user("ann")
        server = town.discord.people.guild(ann, "Ann's Kitchen", ["Gold", "Platinum"])
        environment = {**town.environment(f"sqlite:///{folder}/doorman.db"), "LOG_FORMAT": "json"}
        product = await stack.enter_async_context(running(environment, folder / "doorman.log"))
        yield Stage(town, product, ann, server, server.role("Gold"), stack, sent=sent)


def link_in(words: str) -> str:
    """Return the paid invite link in what the bot said."""
    found = re.search(r"https?://\S+/j/[\w-]+", words)
    check(found, f"a link in: {words}")
    return found[0] if found else ""
