"""What is wrong with our standing in a server, for `doctor`."""

from collections.abc import Sequence

from adapters.discord.guilds import Guilds
from core.errors import InstallationRevoked

_NEEDED = {
    "manage_roles": "The bot may not manage roles. Give its role the permission Manage Roles in Server Settings, Roles.",
    "create_instant_invite": "The bot may not make invites. Give its role the permission Create Invite in Server Settings, Roles.",
}
_ADMINISTRATOR = (
    "The bot is an administrator, which it does not need. Take Administrator from its role; Manage Roles and Create Invite are enough."
)
_LOWEST = "The bot's role is the lowest, so it can give no role. Drag it above the roles you sell in Server Settings, Roles."
_GONE = "The bot is not in the server any more. Add it again."


async def findings(guilds: Guilds, guild: str) -> Sequence[str]:
    """Return a sentence for each thing to put right in ``guild``."""
    try:
        ranks = await guilds.fresh_ranks(guild)
    except InstallationRevoked:
        return [_GONE]
    found = [sentence for permission, sentence in _NEEDED.items() if not getattr(ranks.allowed, permission)]
    if ranks.allowed.administrator:
        found.append(_ADMINISTRATOR)
    if not any(role.rank < ranks.top.rank and not role.managed and role.id != ranks.guild for role in ranks.roles.values()):
        found.append(_LOWEST)
    return found
