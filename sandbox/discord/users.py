from dataclasses import dataclass, field

from sandbox.discord.errors import Payload, refuse

GUILD_LIMIT = 100
"""Servers one person can be in."""


@dataclass(slots=True)
class User:
    """A person or a bot. ``guilds`` are the servers they are in, ``dm_channel`` the one they share with our bot."""

    id: int
    username: str
    global_name: str | None = None
    bot: bool = False
    dms_open: bool = True
    locale: str = "en-US"
    guilds: set[int] = field(default_factory=set)
    dm_channel: int | None = None

    def payload(self) -> Payload:
        """Return the user as others see it."""
        body: Payload = {
            "id": str(self.id),
            "username": self.username,
            "discriminator": "0000" if self.bot else "0",
            "global_name": self.global_name,
            "avatar": None,
            "public_flags": 0,
            "flags": 0,
            "banner": None,
            "accent_color": None,
            "avatar_decoration_data": None,
            "collectibles": None,
            "primary_guild": None,
        }
        if self.bot:
            body["bot"] = True
        return body

    def own_payload(self) -> Payload:
        """Return the user as it sees itself."""
        return {**self.payload(), "mfa_enabled": self.bot, "locale": self.locale, "premium_type": 0, "verified": True, "email": None}


class Users:
    """Everyone there is, by id and by name."""

    def __init__(self) -> None:
        self._by_id: dict[int, User] = {}
        self._by_name: dict[str, User] = {}

    def add(self, user: User) -> User:
        """Take in a user; user names are unique."""
        if user.username in self._by_name:
            raise ValueError(f"there is already a user called {user.username}")
        self._by_id[user.id] = self._by_name[user.username] = user
        return user

    def get(self, user_id: int) -> User:
        """Return the user or refuse with 10013."""
        try:
            return self._by_id[user_id]
        except KeyError:
            raise refuse(10013) from None

    def find(self, user_id: int) -> User | None:
        """Return the user, if there is one of that id."""
        return self._by_id.get(user_id)

    def named(self, username: str) -> User | None:
        """Return the user of that name, if there is one."""
        return self._by_name.get(username)

    def people(self) -> list[User]:
        """Return every user that is not a bot, oldest first."""
        return [user for user in self._by_id.values() if not user.bot]
