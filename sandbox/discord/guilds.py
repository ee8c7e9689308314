from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.discord import permissions
from sandbox.discord.audit import AuditLog
from sandbox.discord.channels import Channel
from sandbox.discord.errors import Payload, refuse
from sandbox.discord.guild_defaults import QUIET
from sandbox.discord.ids import wire_time
from sandbox.discord.members import Member
from sandbox.discord.permissions import has
from sandbox.discord.roles import Role

_ABOVE_ALL = 1 << 30


@dataclass(slots=True)
class Guild:
    """A server: its people, roles and channels, and who may do what in it.

    ``two_factor``: strong rights count only with two-factor login, and for those in ``without_two_factor``
    (a bot stands for its owner) they do not. ``holders`` is role id to the members who have it.
    """

    id: int
    name: str
    owner_id: int
    created_at: datetime
    audit: AuditLog
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    holders: dict[int, set[int]] = field(default_factory=dict)
    bans: dict[int, str | None] = field(default_factory=dict)
    left: set[int] = field(default_factory=set)
    invites: set[str] = field(default_factory=set)
    screening: bool = False
    two_factor: bool = False
    without_two_factor: set[int] = field(default_factory=set)
    available: bool = True
    system_channel: int | None = None
    _order: list[int] = field(default_factory=list)

    # who is in, in the order of their ids

    def index(self, user_id: int) -> None:
        """Remember ``user_id`` in the order the member list is read."""
        insort(self._order, user_id)

    def unindex(self, user_id: int) -> None:
        """Forget ``user_id`` again."""
        del self._order[bisect_left(self._order, user_id)]

    def members_after(self, user_id: int, limit: int) -> list[Member]:
        """Return up to ``limit`` members with larger ids."""
        start = bisect_right(self._order, user_id)
        return [self.members[one] for one in self._order[start : start + limit]]

    # lookups that refuse

    def member(self, user_id: int) -> Member:
        """Return the member or refuse with 10007."""
        try:
            return self.members[user_id]
        except KeyError:
            raise refuse(10007) from None

    def role(self, role_id: int) -> Role:
        """Return the role or refuse with 10011."""
        try:
            return self.roles[role_id]
        except KeyError:
            raise refuse(10011) from None

    # who may do what

    def is_admin(self, user_id: int) -> bool:
        """Whether the user owns the server or has Administrator."""
        return user_id == self.owner_id or bool(self.permissions_of(user_id) & permissions.ADMINISTRATOR)

    def permissions_of(self, user_id: int, channel: Channel | None = None) -> int:
        """Return the bits a member holds in the server, or in one channel."""
        if user_id == self.owner_id:
            return permissions.ALL
        member = self.members.get(user_id)
        if member is None:
            return 0
        bits = self.roles[self.id].permissions
        for role_id in member.roles:
            bits |= self.roles[role_id].permissions
        if bits & permissions.ADMINISTRATOR:
            return permissions.ALL
        return channel.narrowed(bits, self.id, member) if channel else bits

    def reach_of(self, user_id: int) -> int:
        """Return the position of the member's highest role; the owner is above all."""
        if user_id == self.owner_id:
            return _ABOVE_ALL
        return max((self.roles[role_id].position for role_id in self.member(user_id).roles), default=0)

    def require(self, user_id: int, bits: int, channel: Channel | None = None) -> None:
        """Refuse with 50013 unless the member holds ``bits``; with 60003 where two-factor login is missing."""
        if not has(self.permissions_of(user_id, channel), bits):
            raise refuse(50013)
        if self.two_factor and user_id in self.without_two_factor and bits & permissions.NEEDS_TWO_FACTOR:
            raise refuse(60003)

    def require_above(self, user_id: int, role: Role) -> None:
        """Refuse with 50013 unless the member manages roles and their highest role is above ``role``."""
        self.require(user_id, permissions.MANAGE_ROLES)
        if self.reach_of(user_id) <= role.position:
            raise refuse(50013)

    def require_grantable(self, user_id: int, role: Role) -> None:
        """Refuse roles nobody can hand out (@everyone: 50028, managed: 50013) and those not below the member's own."""
        if role.id == self.id:
            raise refuse(50028)
        if role.managed:
            raise refuse(50013)
        self.require_above(user_id, role)

    def require_outranks(self, user_id: int, target: int) -> None:
        """Refuse with 50013 unless ``user_id`` ranks above ``target``."""
        if target == self.owner_id or self.reach_of(user_id) <= self.reach_of(target):
            raise refuse(50013)

    # how it is written

    def payload(self) -> Payload:
        """Return the server as ``GET /guilds/{id}`` writes it."""
        return {
            **QUIET,
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner_id),
            "system_channel_id": str(self.system_channel) if self.system_channel else None,
            "mfa_level": int(self.two_factor),
            "roles": [role.payload() for role in sorted(self.roles.values(), key=lambda role: role.position)],
            "features": ["MEMBER_VERIFICATION_GATE_ENABLED"] if self.screening else [],
        }

    def counts(self) -> Payload:
        """Return the approximate counts that go with ``with_counts``."""
        return {"approximate_member_count": len(self.members), "approximate_presence_count": len(self.members)}

    def create_payload(self, me: int, *, everyone: bool) -> Payload:
        """Return the server as GUILD_CREATE writes it for the bot ``me``; ``everyone`` includes all members."""
        members = self.members.values() if everyone else [self.members[me]]
        plain = [channel for channel in self.channels.values() if not channel.is_thread]
        return {
            **self.payload(),
            "joined_at": wire_time(self.members[me].joined_at),
            "large": len(self.members) >= 250,  # noqa: PLR2004 - Discord's own default threshold
            "unavailable": False,
            "member_count": len(self.members),
            "members": [member.payload() for member in members],
            "channels": [channel.payload() for channel in plain],
            "threads": [channel.payload() for channel in self.channels.values() if channel.is_thread and me in channel.people],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def invite_payload(self) -> Payload:
        """Return the little of a server that an invite shows."""
        keys = ("splash", "banner", "description", "icon", "verification_level", "vanity_url_code", "nsfw_level", "nsfw", "features")
        body = self.payload()
        return {"id": body["id"], "name": self.name, "premium_subscription_count": 0, **{key: body[key] for key in keys}}
