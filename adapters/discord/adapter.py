"""Discord behind the platform port."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import ClassVar

import discord

from adapters.discord.admission import Doorway
from adapters.discord.answers import Answers
from adapters.discord.breaker import Breaker
from adapters.discord.gateway import Gateway
from adapters.discord.guilds import Guilds
from adapters.discord.inbound import Host
from adapters.discord.install import install_url
from adapters.discord.messages import Mail
from adapters.discord.oauth import SignIn
from adapters.discord.outbound import Roles
from adapters.discord.pacing import Pacer
from adapters.discord.probe import findings
from adapters.discord.registration import register
from adapters.discord.rest import Rest
from adapters.discord.settings import Settings
from adapters.discord.supervisor import INTENT_REFUSED, Supervisor, stop
from adapters.discord.tokenless import Tokenless
from core.clock import Clock
from core.commands import CommandReply, ReplyHandle
from core.ids import Ids, PlatformName, PlatformUserId
from core.platform import (
    Admitted,
    Destination,
    Inbound,
    LinkedAccount,
    Message,
    MessageRef,
    Person,
    Resource,
    ResourceKind,
    ResourceLabel,
    Space,
)

NAME = PlatformName("discord")
LABEL = "Discord"


class DiscordAdapter:
    """Everything we say to Discord; what it says to us comes in through the inbound given to ``start``."""

    name: ClassVar[PlatformName] = NAME
    label: ClassVar[str] = LABEL
    resource_kinds: ClassVar[frozenset[ResourceKind]] = frozenset({ResourceKind.ROLE})
    strangers_sign_in: ClassVar[bool] = True

    def __init__(self, settings: Settings, *, clock: Clock, ids: Ids, pacer: Pacer | None = None) -> None:
        self._settings, self._clock, self._ids = settings, clock, ids
        self._stack = AsyncExitStack()
        self._breaker = Breaker(clock)
        self._rest = Rest(settings, pacer or Pacer(), self._breaker)
        self._tokenless = Tokenless(settings.api_url)
        self._guilds = Guilds(self._rest, self._cached, clock)
        self._roles = Roles(NAME, self._rest, self._guilds, self._breaker)
        self._mail = Mail(self._rest, self._breaker)
        self._doorway = Doorway(self._rest, self._guilds, self._breaker, settings.site)
        self._answers = Answers(self._tokenless, clock)
        self._sign_in = SignIn(settings, self._tokenless, clock)
        self._supervisor: Supervisor | None = None
        self._stopping: asyncio.Future[None] | None = None

    @property
    def connected(self) -> bool:
        return self._supervisor is not None and self._supervisor.connected

    async def start(self, inbound: Inbound) -> None:
        host = Host(NAME, inbound, self._answers, self._clock, self._ids)
        host.on_change = self._changed
        self._stopping = None
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        supervisor = self._supervisor = Supervisor(
            lambda members: Gateway(host, self._rest, self._clock, tasks, members=members),
            self._clock,
            self._settings.token.get_secret_value(),
            members=self._settings.members_intent,
        )
        commands = inbound.commands
        for work in (
            supervisor.run(),
            supervisor.until_done("registering the commands", lambda: register(self._rest, self._settings.client_id, commands)),
        ):
            self._stack.push_async_callback(stop, tasks.create_task(work))

    async def stop_listening(self) -> None:
        if self._stopping is None:  # whoever waits may be interrupted, and the connection must not be left half closed by that
            self._stopping = asyncio.ensure_future(self._stack.aclose())  # noqa: TID251 - awaited to its end by ``close``
        await asyncio.wait([self._stopping])
        await self._stopping

    async def close(self) -> None:
        await self.stop_listening()
        await self._rest.shut()
        await self._tokenless.close()

    def _cached(self, guild: str) -> discord.Guild | None:
        gateway = self._supervisor.gateway if self._supervisor else None
        return gateway.get_guild(int(guild)) if gateway is not None and gateway.connected else None

    def _changed(self, guild: str) -> None:
        """What was refused or remembered may be different now."""
        self._breaker.heal(guild)
        self._guilds.forget(guild)

    async def resources(self, space: Space) -> Sequence[ResourceLabel]:
        return await self._roles.labels(space)

    async def check(self, resource: Resource) -> None:
        await self._roles.check(resource)

    async def grant(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        await self._roles.grant(resource, user, reason)

    async def revoke(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        await self._roles.revoke(resource, user, reason)

    def holders(self, resource: Resource) -> AsyncIterator[PlatformUserId]:
        allowed = self._supervisor.members if self._supervisor else self._settings.members_intent
        return self._roles.holders(resource, allowed=allowed)

    async def holds(self, space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        return await self._roles.holds(space, user)

    async def send(self, to: Destination, message: Message) -> MessageRef:
        return await self._mail.send(to, message)

    async def edit(self, ref: MessageRef, message: Message) -> None:
        await self._mail.edit(ref, message)

    async def reply(self, handle: ReplyHandle, reply: CommandReply) -> None:
        if not await self._answers.reply(handle, reply):
            space = Space(NAME, "", handle.space_external_id)
            await self._mail.send_reply(Person(space, handle.user), reply)

    async def display(self, user: PlatformUserId) -> str:
        return await self._mail.name(user)

    def space_url(self, space: Space) -> str:
        return f"{self._settings.site}/channels/{space.external_id}"

    async def admit(self, space: Space, user: PlatformUserId, token: str | None, resources: Sequence[Resource], *, reason: str) -> Admitted:
        return await self._doorway.admit(space.external_id, user, token, resources, reason)

    async def withdraw(self, space: Space, invite_url: str, *, reason: str) -> None:
        await self._doorway.withdraw(space.external_id, invite_url, reason)

    def authorize_url(self, state: str, redirect_uri: str) -> str:
        return self._sign_in.authorize_url(state, redirect_uri)

    async def exchange(self, code: str, redirect_uri: str) -> LinkedAccount:
        return await self._sign_in.exchange(code, redirect_uri)

    async def findings(self, space: Space) -> Sequence[str]:
        found = await findings(self._guilds, space.external_id)
        if not found:
            self._breaker.heal(space.external_id)
        intent_lost = self._supervisor is not None and self._settings.members_intent and not self._supervisor.members
        return [*found, INTENT_REFUSED] if intent_lost else found

    async def identify(self) -> str:
        known = await self._rest.call("GET", "/users/@me")
        return f"Signed in as {known['username']}. Add it to a server: {install_url(self._settings)}"
