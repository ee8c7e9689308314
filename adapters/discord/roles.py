"""Which roles may be sold. Pure: a server's roles and the bot's place among them go in, a refusal or nothing comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from discord import Permissions

from core.errors import PermissionMissing, Refusal

HOW_TO_MANAGE = "Give the bot's role the permission Manage Roles in Server Settings, Roles."


@dataclass(frozen=True, slots=True)
class Role:
    """What Discord says of a role; ``permissions`` is its bit set."""

    id: str
    name: str
    position: int
    permissions: int
    managed: bool = False

    @property
    def rank(self) -> tuple[int, int]:
        """Where it stands, greater is higher; of two at one position the older one (smaller id) is higher."""
        return self.position, -int(self.id)


@dataclass(frozen=True)
class Ranks:
    """The roles of server ``guild`` by id, and which of them the bot has. The role with the server's own id is @everyone."""

    guild: str
    roles: Mapping[str, Role]
    bot_roles: frozenset[str]

    @cached_property
    def _held(self) -> list[Role]:
        return [role for role in self.roles.values() if role.id in self.bot_roles or role.id == self.guild]

    @cached_property
    def top(self) -> Role:
        """The bot's highest role."""
        return max(self._held, key=lambda role: role.rank, default=Role(self.guild, "@everyone", 0, 0))

    @cached_property
    def allowed(self) -> Permissions:
        """What the bot may do in the server, all of it when it is an administrator."""
        bits = 0
        for role in self._held:
            bits |= role.permissions
        return Permissions.all() if Permissions(bits).administrator else Permissions(bits)


def refusal(ranks: Ranks, role_id: str) -> Refusal | None:
    """Return why ``role_id`` cannot be sold, or None when it can: the rules, in the order they help most."""
    role = ranks.roles.get(role_id)
    if role_id == ranks.guild:
        return Refusal(
            "everyone_role", "Everyone in the server has @everyone, so it can't be sold. Make a role for the plan and pick that one."
        )
    if role is None:
        return Refusal("role_missing", "That role does not exist any more. Pick another one.")
    return _by_itself(role) or _by_standing(ranks, role)


def _by_itself(role: Role) -> Refusal | None:
    if role.managed:
        message = f"“{role.name}” belongs to an app or to server boosting, so nobody can give it by hand. Pick a role you made yourself."
        return Refusal("managed_role", message)
    if powers := elevated(role):
        message = f"“{role.name}” can {powers}: too much to sell. Take that from the role in Server Settings, Roles, or pick another one."
        return Refusal("dangerous_role", message)
    return None


def _by_standing(ranks: Ranks, role: Role) -> Refusal | None:
    if not ranks.allowed.manage_roles:
        return Refusal("missing_permission", f"I may not manage roles here. {HOW_TO_MANAGE}")
    if role.rank >= ranks.top.rank:
        message = f"“{role.name}” stands above my role “{ranks.top.name}”. Drag “{ranks.top.name}” above it in Server Settings, Roles."
        return Refusal("role_above_bot", message)
    return None


def elevated(role: Role) -> str:
    """Return the powers of ``role`` that must never be for sale (those that need two-factor authentication), in words; empty when none."""
    found = Permissions(role.permissions & Permissions.elevated().value)
    return ", ".join(name.replace("_", " ") for name, on in found if on)


def danger(ranks: Ranks, role_id: str) -> PermissionMissing | None:
    """Return why giving ``role_id`` now would be unsafe: a role may have been given powers since it was put on sale."""
    role = ranks.roles.get(role_id)
    if role is not None and (powers := elevated(role)):
        message = f"“{role.name}” can {powers} now, so it is not given to anyone. Take that from the role to go on selling it."
        return PermissionMissing(message, code="dangerous_role")
    return None


def told_apart(ranks: Ranks, role_id: str) -> PermissionMissing | None:
    """Return which of its two causes a 50013 on ``role_id`` has; None when neither shows."""
    role = ranks.roles.get(role_id)
    if not ranks.allowed.manage_roles:
        return PermissionMissing(f"The bot may not manage roles in that server. {HOW_TO_MANAGE}", code="missing_permission")
    if role is not None and role.rank >= ranks.top.rank:
        top = ranks.top.name
        message = f"“{role.name}” stands above the bot's role “{top}”. Drag “{top}” above it in Server Settings, Roles."
        return PermissionMissing(message, code="role_above_bot")
    return None
