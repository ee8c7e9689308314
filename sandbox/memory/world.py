"""What is on the platform: spaces, what can be given in them, and people. Plain dictionaries, and the rules of a platform on them."""

import itertools
from dataclasses import dataclass, field

from core.errors import InstallationRevoked, MemberUnreachable, PermissionMissing, ResourceMissing
from core.ids import PlatformName, PlatformUserId
from core.platform import Channel, Resource, ResourceKind, Space

NAME = PlatformName("memory")


@dataclass(slots=True)
class Thing:
    """Something that can be given. ``reachable`` False: it stands above us; ``safe`` False: too powerful to sell."""

    name: str
    kind: ResourceKind = ResourceKind.ROLE
    reachable: bool = True
    safe: bool = True
    busy: bool = False
    """Giving it fails for now, and may work later."""


@dataclass(slots=True)
class Place:
    """A space: who is in it and what they hold, by external id. ``ours`` False: we were removed."""

    name: str
    owner: PlatformUserId
    things: dict[str, Thing] = field(default_factory=dict)
    members: dict[PlatformUserId, set[str]] = field(default_factory=dict)
    banned: set[PlatformUserId] = field(default_factory=set)
    managers: set[PlatformUserId] = field(default_factory=set)
    invites: dict[str, PlatformUserId | None] = field(default_factory=dict)
    carried: dict[str, frozenset[str]] = field(default_factory=dict)
    """What whoever comes by an invite is given, where invites carry anything."""
    carrying: bool = False
    channels: dict[str, list[str]] = field(default_factory=dict)
    ours: bool = True
    may_manage: bool = True


@dataclass(slots=True)
class Somebody:
    """A person; ``inbox`` is what we wrote to them, ``token`` what they gave us by signing in."""

    name: str
    open: bool = True
    inbox: list[str] = field(default_factory=list)
    token: str = ""
    email: str = ""
    """Which the platform has verified."""


class MemoryWorld:
    """All there is. Ids count up, so that a simulation replays exactly."""

    def __init__(self, realm: str = "") -> None:
        self.realm = realm
        self.places: dict[str, Place] = {}
        self.people: dict[PlatformUserId, Somebody] = {}
        self.codes: dict[str, PlatformUserId] = {}
        self._ids = itertools.count(1)

    def new_id(self) -> str:
        """Return the next id."""
        return str(next(self._ids))

    def person(self, name: str) -> PlatformUserId:
        """Create somebody."""
        user = PlatformUserId(self.new_id())
        self.people[user] = Somebody(name)
        return user

    def space(self, name: str, owner: PlatformUserId) -> Space:
        """Create a space that we are in, with its owner as its first member."""
        place = Place(name, owner, members={owner: set()}, managers={owner})
        space = Space(NAME, self.realm, self.new_id())
        self.places[space.external_id] = place
        return space

    def thing(self, space: Space, name: str, kind: ResourceKind = ResourceKind.ROLE) -> Resource:
        """Create something that can be given in ``space``."""
        resource = Resource(space, kind, self.new_id())
        self.places[space.external_id].things[resource.external_id] = Thing(name, kind)
        return resource

    def channel(self, space: Space) -> Channel:
        """Create a channel."""
        channel = Channel(space, self.new_id())
        self.places[space.external_id].channels[channel.external_id] = []
        return channel

    def sign_in(self, user: PlatformUserId) -> str:
        """Let ``user`` continue with the platform; returns the code their browser comes back with."""
        code = f"code-{self.new_id()}"
        self.codes[code] = user
        return code

    def accept(self, space: Space, user: PlatformUserId, code: str) -> None:
        """Accept an invite; PermissionError when it is used up, someone else's, or ``user`` is banned."""
        place = self.places[space.external_id]
        if user in place.banned or place.invites.get(code, user) not in {None, user} or code not in place.invites:
            raise PermissionError("the invite lets you in no more")
        del place.invites[code]
        if user not in place.members:
            place.members[user] = {one for one in place.carried.get(code, ()) if one in place.things}

    def held(self, space: Space, user: PlatformUserId) -> frozenset[Resource]:
        """Return what ``user`` holds, nothing when they are not in."""
        place = self.places[space.external_id]
        return frozenset(Resource(space, place.things[one].kind, one) for one in place.members.get(user, ()) if one in place.things)

    def place(self, space: Space) -> Place:
        """Return the space as we may see it; InstallationRevoked when we are not in it."""
        place = self.places.get(space.external_id)
        if place is None or not place.ours:
            raise InstallationRevoked("The bot is not in that space any more. Add it again.", code="not_in_space")
        return place

    def somebody(self, user: PlatformUserId) -> Somebody:
        """Return the person; MemberUnreachable when there is none."""
        if user not in self.people:
            raise MemberUnreachable("That account does not exist any more.", code="unknown_user")
        return self.people[user]

    def manageable(self, resource: Resource) -> Place:
        """Return the space of ``resource`` when we may give and take it; else raise what stands against it."""
        place = self.place(resource.space)
        if not place.may_manage:
            raise PermissionMissing("The bot may not manage this space. Give it that permission.", code="missing_permission")
        thing = place.things.get(resource.external_id)
        if thing is None:
            raise ResourceMissing("That does not exist any more. Choose something else for the plan.", code="unknown_resource")
        if not thing.reachable:
            raise PermissionMissing(f"“{thing.name}” stands above the bot. Put the bot above it.", code="role_above_bot")
        return place

    def membership(self, place: Place, user: PlatformUserId) -> set[str]:
        """Return what ``user`` holds there, to be changed; MemberUnreachable when they are not in."""
        if user not in place.members:
            raise MemberUnreachable("They are not in the space.", code="unknown_member")
        return place.members[user]
