from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.discord import permissions
from sandbox.discord.errors import Payload, refuse

if TYPE_CHECKING:
    from sandbox.discord.guilds import Guild
    from sandbox.discord.world import World

ROLE_LIMIT = 250


@dataclass(slots=True)
class Role:
    """A server role. ``bot_id`` is set on the managed role that comes with a bot."""

    id: int
    name: str
    permissions: int = 0
    position: int = 0
    color: int = 0
    hoist: bool = False
    mentionable: bool = False
    managed: bool = False
    bot_id: int | None = None

    def payload(self) -> Payload:
        """Return the role as the API writes it."""
        body: Payload = {
            "id": str(self.id),
            "name": self.name,
            "permissions": str(self.permissions),
            "position": self.position,
            "color": self.color,
            "colors": {"primary_color": self.color, "secondary_color": None, "tertiary_color": None},
            "hoist": self.hoist,
            "managed": self.managed,
            "mentionable": self.mentionable,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
        }
        if self.bot_id is not None:
            body["tags"] = {"bot_id": str(self.bot_id)}
        return body


def create(world: "World", guild: "Guild", actor: int, role: Role, reason: str | None = None) -> Role:
    """Add ``role`` just above @everyone, shifting the others up, as Discord does."""
    guild.require(actor, permissions.MANAGE_ROLES)
    if role.permissions & ~guild.permissions_of(actor) and not guild.is_admin(actor):
        raise refuse(50013)
    if len(guild.roles) >= ROLE_LIMIT:
        raise refuse(30005)
    moved = [other for other in guild.roles.values() if other.position >= 1]
    for other in moved:
        other.position += 1
    role.position = 1
    guild.roles[role.id] = role
    guild.audit.add(world, "ROLE_CREATE", actor, role.id, reason, [("name", None, role.name)])
    world.hub.publish("GUILD_ROLE_CREATE", {"guild_id": str(guild.id), "role": role.payload()}, guild.id)
    for other in moved:
        _tell(world, guild, other)
    world.changes.notify()
    return role


def change(world: "World", guild: "Guild", actor: int, role: Role, fields: Payload, reason: str | None = None) -> Role:
    """Set ``fields`` (name, permissions, color, hoist, mentionable) of a role below the actor's own highest one."""
    guild.require_above(actor, role)
    wanted = int(fields.get("permissions", role.permissions))
    if wanted & ~role.permissions & ~guild.permissions_of(actor) and not guild.is_admin(actor):
        raise refuse(50013)
    changes = [(key, getattr(role, key), value) for key, value in fields.items() if getattr(role, key) != value]
    for key, _, new in changes:
        setattr(role, key, new)
    guild.audit.add(world, "ROLE_UPDATE", actor, role.id, reason, changes)
    _tell(world, guild, role)
    return role


def move(world: "World", guild: "Guild", actor: int, positions: dict[int, int]) -> None:
    """Put roles at new positions; the actor needs to be above where they were and where they go."""
    guild.require(actor, permissions.MANAGE_ROLES)
    top = guild.reach_of(actor)
    for role_id, position in positions.items():
        if max(guild.role(role_id).position, position) >= top:
            raise refuse(50013)
    order = sorted((role for role in guild.roles.values() if role.id not in positions), key=lambda role: (role.position, role.id))
    for role_id, position in sorted(positions.items(), key=lambda item: item[1]):
        order.insert(max(1, min(position, len(order))), guild.roles[role_id])
    for index, role in enumerate(order):
        if role.position != index:
            role.position = index
            _tell(world, guild, role)


def delete(world: "World", guild: "Guild", actor: int, role: Role, reason: str | None = None) -> None:
    """Remove the role from the server and from everyone who has it."""
    guild.require_above(actor, role)
    if role.managed or role.id == guild.id:
        raise refuse(50028)
    del guild.roles[role.id]
    for user_id in guild.holders.pop(role.id, set()):
        guild.members[user_id].roles.discard(role.id)
        world.note_role(guild.id, user_id, role.id, held=False)
    guild.audit.add(world, "ROLE_DELETE", actor, role.id, reason, [("name", role.name, None)])
    world.hub.publish("GUILD_ROLE_DELETE", {"guild_id": str(guild.id), "role_id": str(role.id)}, guild.id)
    world.changes.notify()


def _tell(world: "World", guild: "Guild", role: Role) -> None:
    world.hub.publish("GUILD_ROLE_UPDATE", {"guild_id": str(guild.id), "role": role.payload()}, guild.id)
    world.changes.notify()
