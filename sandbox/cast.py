"""Who plays in the sandbox, by name: people with their browsers and what they see, and the servers they are in."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp

from sandbox.browser import Browser, Missing
from sandbox.discord.browser import PageError
from sandbox.discord.emulator import DiscordEmulator, Served
from sandbox.discord.errors import RefusedError
from sandbox.discord.people import CannotError, NoAnswerError, Server
from sandbox.discord.person import Person
from sandbox.discord.replies import Reply, Seen
from sandbox.people import Fan
from sandbox.stripe.people import GOOD_CARD, Refused, StripePeople

PERMISSIONS = (1 << 28) | 1
"""Manage Roles and Create Invite: all the bot asks for."""


class Nobody(Exception):  # noqa: N818 - whoever plays named someone, or something, that is not there
    """There is no such person or server, or they are not where that could be done; the message says what to do."""


CANNOT = (Nobody, Missing, PageError, RefusedError, CannotError, NoAnswerError, aiohttp.ClientError)
"""What comes of asking for what cannot be done; each says why."""


@dataclass
class Player(Fan[Person]):
    """A fan or a creator, played step by step; ``authorize_url`` is where the platform asks people what they allow."""

    authorize_url: str = ""
    answers: list[Seen] = field(default_factory=list)
    """What the bot answered to their commands and buttons, oldest first."""

    async def command(self, server: Server | None, words: str, options: Mapping[str, object]) -> Reply:
        """Type a command and return the answer."""
        reply = await self.person.type(server, words, options)
        self.answers.append(reply)
        return reply

    async def click(self, button: str) -> Reply:
        """Press a button of the newest answer or direct message that has it."""
        for seen in reversed([*self.person.inbox(), *self.answers]):
            if button in {label for one in seen.buttons for label in (one.get("label"), one.get("custom_id"))}:
                reply = await self.person.click(seen, button)
                self.answers.append(reply)
                return reply
        raise Nobody(f"{self.person.name} sees no button “{button}”")

    async def go(self, url: str) -> None:
        """Open an address in the browser."""
        await self.browser.open(url)
        await self._arrived()

    async def press(self, button: str) -> None:
        """Press a button of the page being shown; what the platform then asks is allowed."""
        await self.browser.press(button)
        await self._arrived()

    async def pay_here(self, card: str = GOOD_CARD) -> None:
        """Pay at the checkout they are at, and go where it leads; Refused, with what the page says, when it does not go through."""
        if not self.checkout:
            raise Nobody(f"{self.person.name} is at no checkout: open a paid invite link and press what it offers")
        await self.go(await self.pay(card))
        self.checkout = ""

    async def _arrived(self) -> None:
        if str(self.browser.url).startswith(self.authorize_url):
            await self.browser.open(await self.person.authorize(str(self.browser.url)))
        if "/c/pay/" in self.browser.url.path:
            self.checkout = str(self.browser.url)


class Cast:
    """Everyone who plays (``async with``); names are as on the platform, in lower case."""

    def __init__(self, discord: DiscordEmulator, served: Served, cashiers: StripePeople) -> None:
        self._discord, self._served, self._cashiers = discord, served, cashiers
        self._players: dict[str, Player] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()

    async def add_person(self, name: str) -> Player:
        """Bring in someone new."""
        if self._discord.model.users.named(name.lower()) is not None:
            raise Nobody(f"the name {name.lower()} is taken")
        self._discord.people.user(name)
        return await self.person(name)

    async def person(self, name: str) -> Player:
        """Return someone who is in the sandbox, whoever brought them in."""
        person = self._discord.people.find(name)
        if person is None:
            raise Nobody(f"there is no {name}: POST /people brings in someone new")
        if person.name not in self._players:
            browser = await self._stack.enter_async_context(Browser())
            self._players[person.name] = Player(person, browser, self._cashiers, authorize_url=self._served.authorize_url)
        return self._players[person.name]

    def add_server(self, owner: Player, name: str, roles: Sequence[str]) -> Server:
        """Make a server with these roles, the first one lowest."""
        if any(server.name == name for server in self.servers()):
            raise Nobody(f"there is a server {name} already")
        return self._discord.people.guild(owner.person, name, roles)

    def servers(self) -> list[Server]:
        """Return every server, oldest first."""
        return [Server(self._discord.model, guild) for guild in self._discord.model.guilds.values()]

    def server(self, name: str) -> Server:
        """Return the server of that name."""
        for server in self.servers():
            if server.name == name:
                return server
        raise Nobody(f"there is no server {name}; there is {', '.join(server.name for server in self.servers()) or 'none yet'}")

    def has_bot(self, server: Server) -> bool:
        """Whether our bot is in a server."""
        return self._discord.model.bot.id in server.guild.members

    async def add_bot(self, server: Server) -> None:
        """Let the owner add our bot, and drag its role to the top."""
        if self.has_bot(server):
            raise Nobody(f"the bot is in {server.name} already")
        await self._discord.people.add_bot(server, PERMISSIONS)

    @property
    def install_url(self) -> str:
        """The page on which a person adds the bot to a server of theirs."""
        return f"{self._served.authorize_url}?client_id={self._served.client_id}&scope=bot+applications.commands&permissions={PERMISSIONS}"


async def first_of_all(cast: Cast) -> Server:
    """Bring in Ann, with a server that has two roles to sell."""
    return cast.add_server(await cast.add_person("ann"), "Kitchen", ["Silver", "Gold"])


__all__ = ["CANNOT", "Cast", "Nobody", "Player", "Refused", "first_of_all"]
