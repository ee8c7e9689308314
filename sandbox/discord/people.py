"""The people of the sandbox and their servers."""

from collections.abc import Sequence

from sandbox.discord import birth
from sandbox.discord.person import NoAnswerError, Person
from sandbox.discord.servers import Server
from sandbox.discord.typed import CannotError
from sandbox.discord.users import User
from sandbox.discord.world import World

__all__ = ["CannotError", "NoAnswerError", "People", "Person", "Server"]


class People:
    """Makes people and servers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def user(self, name: str) -> Person:
        """Create someone."""
        return Person(self._world, self._world.users.add(User(self._world.ids.snowflake(), name.lower(), name.title())))

    def find(self, name: str) -> Person | None:
        """Return the person of that user name, if there is one."""
        user = self._world.users.named(name.lower())
        return Person(self._world, user) if user is not None and not user.bot else None

    def guild(self, owner: Person, name: str, roles: Sequence[str] = ()) -> Server:
        """Create a server with these roles, the first one lowest, and a channel called general."""
        server = Server(self._world, birth.found_guild(self._world, owner.user, name))
        for role in reversed(roles):
            server.add_role(role)
        return server

    async def add_bot(self, server: Server, permissions: int, *, on_top: bool = True) -> None:
        """Add our bot as the owner would; ``on_top``: and drag its role above the others, which Discord leaves lowest."""
        birth.install_bot(self._world, server.guild, server.guild.owner_id, permissions)
        if on_top:
            server.raise_bot()
