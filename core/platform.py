"""The port a chat platform is plugged into, and its optional powers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from core.commands import CommandReply, CommandRequest, CommandSpec, ReplyButton, ReplyHandle
from core.errors import ExternalError
from core.ids import PlatformName, PlatformUserId
from core.text import Text


class ResourceKind(StrEnum):
    """What a plan can open on a platform."""

    ROLE = "role"
    CHANNEL = "channel"
    USER_GROUP = "user_group"


@dataclass(frozen=True, slots=True)
class Space:
    """One server or workspace. ``realm`` is the workspace or enterprise id, empty where user ids are global."""

    platform: PlatformName
    realm: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Resource:
    """One role, channel or user group of a space."""

    space: Space
    kind: ResourceKind
    external_id: str


@dataclass(frozen=True, slots=True)
class ResourceLabel:
    """A resource and the name people know it by."""

    resource: Resource
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """A direct message to someone; ``space`` is where we know them from."""

    space: Space
    user: PlatformUserId


@dataclass(frozen=True, slots=True)
class Channel:
    """A message to a channel."""

    space: Space
    external_id: str


Destination = Person | Channel


@dataclass(frozen=True, slots=True)
class LinkButton:
    """A button that opens ``url``."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """What we say. ``image`` is never used for words."""

    title: str
    body: Text
    buttons: tuple[LinkButton | ReplyButton, ...] = ()
    """One that runs a command works in a channel; in direct messages platforms do not say of which space it is."""


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A message that was sent, so that it can be edited."""

    destination: Destination
    external_id: str


class EventKind(StrEnum):
    """What a platform tells us without being asked."""

    SPACE_ADDED = "space_added"
    """We were added (or came back): ``user`` is the owner, ``name`` the space's name."""
    SPACE_REMOVED = "space_removed"
    """We were removed for good. An outage is not an event."""
    MEMBER_JOINED = "member_joined"
    MEMBER_LEFT = "member_left"
    RESOURCES_CHANGED = "resources_changed"
    """Roles or channels, or what we may do with them, changed: probe what is blocked or sold there."""


@dataclass(frozen=True, slots=True)
class PlatformEvent:
    """One event. ``id`` is unique per platform: the platform's own where it has one, else made by the adapter."""

    id: str
    kind: EventKind
    space: Space
    at: datetime
    user: PlatformUserId | None = None
    name: str = ""


class Inbound(Protocol):
    """Where an adapter hands in what comes from outside. Both return once the row is durable."""

    @property
    def commands(self) -> Sequence[CommandSpec]:
        """Every command to register, in the order to show them."""
        ...

    async def on_command(self, request: CommandRequest) -> None:
        """Store a command; a second delivery of the same id changes nothing."""
        ...

    async def on_event(self, event: PlatformEvent) -> None:
        """Store an event; a second delivery of the same id changes nothing."""
        ...


class PlatformAdapter(Protocol):
    """A chat platform. Every method may raise core.errors.ExternalError; grant and revoke are idempotent; adapters store nothing."""

    name: ClassVar[PlatformName]
    label: ClassVar[str]
    """The platform's name as people write it, for pages."""
    resource_kinds: ClassVar[frozenset[ResourceKind]]

    @property
    def connected(self) -> bool:
        """Whether inbound events flow right now."""
        ...

    async def start(self, inbound: Inbound) -> None:
        """Connect and register commands; returns at once, the connection is supervised with backoff in the background."""
        ...

    async def stop_listening(self) -> None:
        """Take nothing more in, for good; what came before is handed in when this returns. All else still works, until ``close``."""
        ...

    async def close(self) -> None:
        """Stop listening, and disconnect."""
        ...

    async def resources(self, space: Space) -> Sequence[ResourceLabel]:
        """Return the creator's pick-list: what exists, sellable or not."""
        ...

    async def check(self, resource: Resource) -> None:
        """Return when we can manage ``resource`` and it is safe to sell; else raise Refusal that says which rule and what to do."""
        ...

    async def grant(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        """Give ``resource`` to ``user``; MemberUnreachable when they are not in the space."""
        ...

    async def revoke(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        """Take ``resource`` from ``user``."""
        ...

    def holders(self, resource: Resource) -> AsyncIterator[PlatformUserId]:
        """Yield everyone who has ``resource``; PermissionMissing where listing is not allowed."""
        ...

    async def holds(self, space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        """Return what ``user`` has in ``space``; None when they are not in it."""
        ...

    async def send(self, to: Destination, message: Message) -> MessageRef:
        """Send a message to a person (MemberUnreachable when closed) or a channel (PermissionMissing, ResourceMissing)."""
        ...

    async def edit(self, ref: MessageRef, message: Message) -> None:
        """Replace a sent message."""
        ...

    async def reply(self, handle: ReplyHandle, reply: CommandReply) -> None:
        """Answer a stored command; falls back to a direct message when the handle has expired."""
        ...

    async def display(self, user: PlatformUserId) -> str:
        """Return a name to show, not escaped: pages and renderers escape."""
        ...

    def space_url(self, space: Space) -> str:
        """Return the address of the space for someone who is in it."""
        ...


@runtime_checkable
class EmailKnowing(Protocol):
    """Power: say which e-mail address of somebody the platform itself has verified."""

    async def verified_email(self, space: Space, user: PlatformUserId) -> str:
        """Return the address; empty where there is none, we may not see it, or it was only typed."""
        ...


class AdmissionOutcome(StrEnum):
    """What became of letting someone in."""

    ADMITTED = "admitted"
    ALREADY_INSIDE = "already_inside"
    INVITED = "invited"
    """They must open ``invite_url`` themselves; the grant follows when they join. Empty where the platform makes no invites: then the
    link the creator gave us for the space is what there is."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The outcome, and the invite link when one was needed; ``carries``: whoever comes by it is given the resources by the platform."""

    outcome: AdmissionOutcome
    invite_url: str = ""
    carries: bool = False


@runtime_checkable
class Admission(Protocol):
    """Power: bring a payer into a space."""

    async def admit(self, space: Space, user: PlatformUserId, token: str | None, resources: Sequence[Resource], *, reason: str) -> Admitted:
        """Join ``user`` with their ``token``, else make a single-use invite bound to them where the platform allows it."""
        ...


@runtime_checkable
class Withdrawal(Protocol):
    """Power: take back an invite that ``Admission`` made."""

    async def withdraw(self, space: Space, invite_url: str, *, reason: str) -> None:
        """Let nobody come in by ``invite_url`` any more; one that is used up, run out or gone already is as good."""
        ...


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """Who signed in. ``token`` lets us bring them into a space until ``token_expires_at``."""

    user: PlatformUserId
    realm: str
    name: str
    token: str | None
    token_expires_at: datetime | None


@runtime_checkable
class AccountLinking(Protocol):
    """Power: prove on a web page who somebody is on the platform (OAuth 2 authorization code)."""

    strangers_sign_in: ClassVar[bool]
    """Whether somebody who is not in the space yet can sign in; else they pay first, join, and prove it then."""

    def authorize_url(self, state: str, redirect_uri: str) -> str:
        """Return where to send the browser."""
        ...

    async def exchange(self, code: str, redirect_uri: str) -> LinkedAccount:
        """Trade the code of the callback for the account; Refusal ``bad_code`` when it is refused."""
        ...


@runtime_checkable
class Probing(Protocol):
    """Power: examine an installation for `doctor`."""

    async def findings(self, space: Space) -> Sequence[str]:
        """Return what is wrong with our permissions in ``space``, a sentence each that says what to do; empty when all is well."""
        ...


@runtime_checkable
class Identifying(Protocol):
    """Power: try our secret on the platform before we are in any space, for `doctor`."""

    async def identify(self) -> str:
        """Say as whom we are known and how we are brought into a space; ExternalError that says what to do when we are refused."""
        ...


@runtime_checkable
class Prefixed(Protocol):
    """Power: have every command typed after one word, as where all apps share their commands' names."""

    @property
    def prefix(self) -> str:
        """Return that word as it is typed, like ``/doorman``; it takes the place of ``/doorman`` in a command's words, too."""
        ...


@runtime_checkable
class BatchGrants(Protocol):
    """Power: one call for many changes of one resource, for the kinds of resource where a call each would be wrong or too dear."""

    batched_kinds: ClassVar[frozenset[ResourceKind]]

    async def apply(
        self, resource: Resource, grants: frozenset[PlatformUserId], revokes: frozenset[PlatformUserId], *, reason: str
    ) -> Mapping[PlatformUserId, ExternalError | None]:
        """Carry out all changes of ``resource`` and return the outcome for each user, None for done; idempotent.

        Raises ExternalError when nothing is known to have been changed for anybody.
        """
        ...


@dataclass(frozen=True, slots=True)
class Installation:
    """A space we were just brought into, and by whom."""

    space: Space
    name: str
    installer: PlatformUserId


@runtime_checkable
class Installing(Protocol):
    """Power: be brought into a space from a web page (OAuth 2 authorization code), for platforms without another way."""

    def install_url(self, state: str, redirect_uri: str) -> str:
        """Return where to send the browser of whoever manages the space."""
        ...

    async def install(self, code: str, redirect_uri: str) -> Installation:
        """Trade the callback's code for the installation and keep its secrets; Refusal ``bad_code`` when it is refused."""
        ...


@runtime_checkable
class HttpInbound(Protocol):
    """Power: take signed HTTP requests. ``web`` mounts it at ``/{platform}/…``."""

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, inbound: Inbound
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Answer one request with status, headers and body."""
        ...
