from collections.abc import Callable
from dataclasses import dataclass, field

from core.clock import Clock
from sandbox.changes import Changes
from sandbox.discord.channels import Channel
from sandbox.discord.commands import Commands
from sandbox.discord.errors import Payload, refuse
from sandbox.discord.guilds import Guild
from sandbox.discord.hub import Hub
from sandbox.discord.ids import Ids
from sandbox.discord.interactions import Interaction
from sandbox.discord.invites import Invite
from sandbox.discord.oauth import OAuth
from sandbox.discord.users import User, Users

RoleKey = tuple[int, int, int]
"""(server id, user id, role id)"""


@dataclass(slots=True)
class Application:
    """Our app as its developer portal has it."""

    id: int
    name: str
    owner: User
    token: str
    secret: str
    verify_key: str
    redirect_uris: list[str] = field(default_factory=list)
    members_intent: bool = True


@dataclass(slots=True)
class World:
    """All of the emulated Discord, without any I/O: who and what there is, and one registered app with its bot.

    ``moments`` gives real seconds (monotonic); ``role_moments`` keeps when each role was last given or taken.
    """

    clock: Clock
    ids: Ids
    moments: Callable[[], float]
    app: Application
    bot: User
    oauth: OAuth
    users: Users
    hub: Hub
    changes: Changes = field(default_factory=Changes)
    commands: Commands = field(default_factory=Commands)
    guilds: dict[int, Guild] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    invites: dict[str, Invite] = field(default_factory=dict)
    interactions: dict[str, Interaction] = field(default_factory=dict)
    role_moments: dict[RoleKey, tuple[bool, float]] = field(default_factory=dict)

    def guild(self, guild_id: int) -> Guild:
        """Return the server or refuse with 10004."""
        try:
            return self.guilds[guild_id]
        except KeyError:
            raise refuse(10004) from None

    def guild_for(self, user_id: int, guild_id: int) -> Guild:
        """Return the server if ``user_id`` is in it; 50001 otherwise."""
        guild = self.guild(guild_id)
        if user_id not in guild.members:
            raise refuse(50001)
        return guild

    def channel(self, channel_id: int) -> Channel:
        """Return the channel or refuse with 10003."""
        try:
            return self.channels[channel_id]
        except KeyError:
            raise refuse(10003) from None

    def note_role(self, guild_id: int, user_id: int, role_id: int, *, held: bool) -> None:
        """Remember the moment a role was given (``held``) or taken."""
        self.role_moments[guild_id, user_id, role_id] = (held, self.moments())

    async def when(self, condition: Callable[[], object], within: float | None = 10.0) -> None:
        """Return once ``condition()`` is true, looked at after each change; TimeoutError after ``within`` real seconds."""
        await self.changes.when(condition, within)

    def app_payload(self) -> Payload:
        """Return the application as ``GET /oauth2/applications/@me`` writes it."""
        return {
            "id": str(self.app.id),
            "name": self.app.name,
            "icon": None,
            "description": "",
            "type": None,
            "bot": self.bot.payload(),
            "summary": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": self.app.verify_key,
            "flags": 1 << 15 if self.app.members_intent else 0,
            "flags_new": str(1 << 15 if self.app.members_intent else 0),
            "redirect_uris": self.app.redirect_uris,
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "owner": self.app.owner.payload(),
            "approximate_guild_count": len(self.bot.guilds),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": self.oauth.authorised_people(),
            "explicit_content_filter": 0,
            "team": None,
            "eligible_oauth2_scopes": [],
        }
