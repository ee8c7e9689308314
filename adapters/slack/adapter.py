"""Slack behind the platform port."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import ClassVar

from adapters.slack.admission import Doorway
from adapters.slack.channels import FORBIDDEN, Channels
from adapters.slack.client import Slack, Wire
from adapters.slack.desk import Desk
from adapters.slack.endings import Endings
from adapters.slack.install import Install
from adapters.slack.installations import Installations
from adapters.slack.messages import Mail
from adapters.slack.oauth import SignIn
from adapters.slack.pacing import Pacer
from adapters.slack.people import People
from adapters.slack.probe import Probe
from adapters.slack.scim import Scim
from adapters.slack.settings import Settings
from adapters.slack.spaces import LABEL, NAME, space_of
from adapters.slack.standing import Standings
from adapters.slack.user_groups import UserGroups
from core.clock import Clock
from core.commands import CommandReply, ReplyHandle
from core.credentials import Credentials
from core.errors import ExternalError, MemberUnreachable, PermissionMissing
from core.ids import Ids, PlatformName, PlatformUserId
from core.platform import (
    Admitted,
    Destination,
    Inbound,
    Installation,
    LinkedAccount,
    Message,
    MessageRef,
    Resource,
    ResourceKind,
    ResourceLabel,
    Space,
)

log = logging.getLogger(__name__)


class SlackAdapter:
    """Everything we say to Slack; what it says to us comes in through the inbound given to ``start``."""

    name: ClassVar[PlatformName] = NAME
    label: ClassVar[str] = LABEL
    resource_kinds: ClassVar[frozenset[ResourceKind]] = frozenset({ResourceKind.CHANNEL, ResourceKind.USER_GROUP})
    strangers_sign_in: ClassVar[bool] = False
    batched_kinds: ClassVar[frozenset[ResourceKind]] = frozenset({ResourceKind.USER_GROUP})

    def __init__(
        self, settings: Settings, *, clock: Clock, ids: Ids, credentials: Credentials | None = None, pacer: Pacer | None = None
    ) -> None:
        self._settings, self._clock, self._ids = settings, clock, ids
        self._wire = Wire(settings, pacer or Pacer())
        self._installations = Installations(settings, credentials, self._wire, clock)
        self._slack = Slack(self._wire, self._installations)
        self._people = People(self._slack, clock)
        self._standings = Standings(self._slack)
        self._channels = Channels(self._slack, self._standings, clock)
        self._groups = UserGroups(self._slack, self._standings, self._people, clock)
        self._mail = Mail(self._slack, self._people, settings.command)
        self._scim = Scim(settings, self._wire)
        self._endings = Endings(self._scim, self._people, credentials, clock)
        self._doorway = Doorway(settings, self._wire, self._people, self._endings)
        self._probe = Probe(settings, self._installations, self._standings, self._channels, self._scim)
        self._sign_in = SignIn(settings, self._wire, clock, ids)
        self._install = Install(settings, self._wire, self._installations, clock)
        self._desk = Desk(
            settings, self._wire, self._slack, self._installations, self._people, self._mail, self.resources, self._groups.listed,
            clock=clock, ids=ids,
        )  # fmt: skip

    # what a plan opens

    async def resources(self, space: Space) -> Sequence[ResourceLabel]:
        listed = [*await self._channels.listed(space), *await self._groups.listed(space)]
        return [ResourceLabel(resource, name) for resource, name in listed]

    async def check(self, resource: Resource) -> None:
        await (self._groups if resource.kind is ResourceKind.USER_GROUP else self._channels).check(resource)

    async def grant(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        if resource.kind is ResourceKind.USER_GROUP:
            _raise(await self.apply(resource, frozenset({user}), frozenset(), reason=reason))
        else:
            await self._channels.grant(resource, user)

    async def revoke(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        if resource.kind is ResourceKind.USER_GROUP:
            _raise(await self.apply(resource, frozenset(), frozenset({user}), reason=reason))
            return
        try:
            await self._channels.revoke(resource, user)
        except PermissionMissing as error:
            if error.code != FORBIDDEN or not await self._endings.allowed(resource.space, user):
                raise
            log.warning("Slack forbids to remove %s from a channel; their account in %s is ended", user, resource.space.external_id)
            await self._endings.end(resource.space, user)

    async def apply(
        self, resource: Resource, grants: frozenset[PlatformUserId], revokes: frozenset[PlatformUserId], *, reason: str
    ) -> Mapping[PlatformUserId, ExternalError | None]:
        del reason  # Slack has nowhere to write it
        return await self._groups.apply(resource, grants, revokes)

    def holders(self, resource: Resource) -> AsyncIterator[PlatformUserId]:
        return (self._groups if resource.kind is ResourceKind.USER_GROUP else self._channels).holders(resource)

    async def holds(self, space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        try:
            if not (await self._people.fresh(space, user)).inside:
                return None
            return await self._channels.of(space, user) | await self._groups.of(space, user)
        except MemberUnreachable:
            return None

    # people

    @property
    def prefix(self) -> str:
        return self._settings.command

    async def send(self, to: Destination, message: Message) -> MessageRef:
        return await self._mail.send(to, message)

    async def edit(self, ref: MessageRef, message: Message) -> None:
        await self._mail.edit(ref, message)

    async def display(self, user: PlatformUserId) -> str:
        own = await self._installations.own()
        if own is not None:
            with suppress(MemberUnreachable):
                return (await self._people.of(space_of(own.team, own.enterprise), user)).name
        return self._people.known(user)

    def space_url(self, space: Space) -> str:
        site = "https://app.slack.com" if self._settings.at_home else self._settings.site
        return f"{site}/client/{space.external_id}"

    async def admit(self, space: Space, user: PlatformUserId, token: str | None, resources: Sequence[Resource], *, reason: str) -> Admitted:
        del token, reason  # nobody's own token brings them in
        return await self._doorway.admit(space, user, resources)

    async def verified_email(self, space: Space, user: PlatformUserId) -> str:
        somebody = await self._people.fresh(space, user)
        return somebody.email if somebody.confirmed and not somebody.guest else ""

    async def findings(self, space: Space) -> Sequence[str]:
        return await self._probe.findings(space)

    async def identify(self) -> str:
        return await self._probe.identify()

    # signing in and installing

    def authorize_url(self, state: str, redirect_uri: str) -> str:
        return self._sign_in.authorize_url(state, redirect_uri)

    async def exchange(self, code: str, redirect_uri: str) -> LinkedAccount:
        return await self._sign_in.exchange(code, redirect_uri)

    def install_url(self, state: str, redirect_uri: str) -> str:
        return self._install.install_url(state, redirect_uri)

    async def install(self, code: str, redirect_uri: str) -> Installation:
        made, *others = await self._install.install(code, redirect_uri)
        await self._desk.tell_of(others)
        return made

    # coming in

    @property
    def connected(self) -> bool:
        return self._desk.connected

    async def start(self, inbound: Inbound) -> None:
        await self._desk.start(inbound)

    async def stop_listening(self) -> None:
        await self._desk.close()

    async def close(self) -> None:
        await self.stop_listening()
        await self._wire.close()

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, inbound: Inbound
    ) -> tuple[int, Mapping[str, str], bytes]:
        return await self._desk.handle(method, path, headers, body, inbound)

    async def reply(self, handle: ReplyHandle, reply: CommandReply) -> None:
        await self._desk.reply(handle, reply)


def _raise(outcomes: Mapping[PlatformUserId, ExternalError | None]) -> None:
    """A batch of one fails as a call of one would."""
    for error in outcomes.values():
        if error is not None:
            raise error
