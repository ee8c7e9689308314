from typing import TYPE_CHECKING

from sandbox.discord import birth, channels, invites, members, roles
from sandbox.discord.audit import AuditEntry
from sandbox.discord.channels import Channel
from sandbox.discord.guilds import Guild
from sandbox.discord.replies import Seen
from sandbox.discord.roles import Role
from sandbox.discord.world import World

if TYPE_CHECKING:
    from sandbox.discord.people import Person


class Server:
    """A server as the story's author sees it, from above: looks into everything, acts as its owner."""

    def __init__(self, world: World, guild: Guild) -> None:
        self._world = world
        self.guild = guild

    @property
    def id(self) -> int:
        return self.guild.id

    @property
    def name(self) -> str:
        return self.guild.name

    @property
    def owner_name(self) -> str:
        """The user name of its owner."""
        return self._world.users.get(self.guild.owner_id).username

    # looking

    def role(self, name: str) -> Role:
        """Return the role of that name; LookupError names those there are."""
        for role in self.guild.roles.values():
            if role.name == name:
                return role
        raise LookupError(f"no role {name!r}; there are {[role.name for role in self.guild.roles.values()]}")

    def channel(self, name: str = "general") -> Channel:
        """Return the channel or thread of that name; LookupError names those there are."""
        for channel in self.guild.channels.values():
            if channel.name == name:
                return channel
        raise LookupError(f"no channel {name!r}; there are {[channel.name for channel in self.guild.channels.values()]}")

    def messages(self, channel: str = "general") -> list[Seen]:
        """Return what everyone in the channel can read, oldest first."""
        found = self.channel(channel)
        return [Seen(message, found) for message in found.messages.values() if not message.is_ephemeral]

    def roles_of(self, person: "Person") -> frozenset[str]:
        """Return the names of the person's roles; none when they are not in."""
        member = self.guild.members.get(person.id)
        return frozenset(self.guild.roles[one].name for one in member.roles) if member else frozenset()

    def has(self, person: "Person") -> bool:
        """Whether the person is in."""
        return person.id in self.guild.members

    def audit_log(self) -> list[AuditEntry]:
        """Return the audit log, oldest first."""
        return list(self.guild.audit.entries)

    def role_moment(self, person: "Person", role: Role) -> float | None:
        """Return the real moment (monotonic seconds) the role was last given or taken."""
        found = self._world.role_moments.get((self.id, person.id, role.id))
        return found[1] if found else None

    async def until_role(self, person: "Person", role: Role, *, held: bool = True, within: float = 10.0) -> None:
        """Return once the person has (or no longer has) the role."""

        def reached() -> bool:
            member = self.guild.members.get(person.id)
            return (member is not None and role.id in member.roles) is held

        await self._world.changes.when(reached, within)

    # what its owner does

    def add_role(self, name: str, permissions: int = 0) -> Role:
        """Create a role; it starts lowest, so that every role there is stands above it."""
        return roles.create(self._world, self.guild, self.guild.owner_id, Role(self._world.ids.snowflake(), name, permissions))

    def change_role(self, role: Role, **fields: object) -> None:
        """Change a role's name, permissions, color, hoist or mentionable."""
        roles.change(self._world, self.guild, self.guild.owner_id, role, dict(fields))

    def move_role(self, role: Role, position: int) -> None:
        """Drag a role to ``position``; 1 is lowest."""
        roles.move(self._world, self.guild, self.guild.owner_id, {role.id: position})

    def delete_role(self, role: Role) -> None:
        """Delete a role."""
        roles.delete(self._world, self.guild, self.guild.owner_id, role)

    def give_role(self, person: "Person", role: Role) -> None:
        """Give a role by hand."""
        members.give_role(self._world, self.guild, self.guild.owner_id, person.id, role.id)

    def take_role(self, person: "Person", role: Role) -> None:
        """Take a role by hand."""
        members.take_role(self._world, self.guild, self.guild.owner_id, person.id, role.id)

    def add_channel(self, name: str) -> Channel:
        """Create a text channel."""
        channel = Channel(self._world.ids.snowflake(), channels.TEXT, name)
        return channels.create(self._world, self.guild, self.guild.owner_id, channel)

    def invite(self, terms: invites.Terms | None = None, channel: str = "general") -> str:
        """Return the code of an invite: a new one on these ``terms``, or without any the owner's standing one."""
        owner = self._world.users.get(self.guild.owner_id)
        given = terms or invites.Terms(max_age=0)
        return invites.create(self._world, owner, self.channel(channel), given, unique=terms is not None).code

    def kick(self, person: "Person") -> None:
        """Remove someone."""
        members.kick(self._world, self.guild, self.guild.owner_id, person.id)

    def ban(self, person: "Person") -> None:
        """Ban someone."""
        members.ban(self._world, self.guild, self.guild.owner_id, person.id)

    # our bot

    @property
    def bot_role(self) -> Role:
        """The managed role of our bot."""
        return next(role for role in self.guild.roles.values() if role.bot_id == self._world.bot.id)

    def raise_bot(self) -> None:
        """Drag the bot's role above all others, as every set-up guide asks."""
        self.move_role(self.bot_role, len(self.guild.roles) - 1)

    def kick_bot(self) -> None:
        """Remove our bot."""
        birth.evict_bot(self._world, self.guild)

    def set_available(self, *, available: bool) -> None:
        """Begin or end an outage of this server on the gateway."""
        birth.set_available(self._world, self.guild, available=available)
