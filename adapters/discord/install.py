"""Where a creator adds the bot to their server, asking for no more than it needs."""

from discord import Permissions
from yarl import URL

from adapters.discord.settings import Settings

PERMISSIONS = Permissions(manage_roles=True, create_instant_invite=True)
"""All the bot asks for in the whole server. In its notice channel the creator gives it View Channel, Send Messages and
Create Private Threads; with Manage Server, which it never asks for, its invites can be bound to the payer."""


def install_url(settings: Settings) -> str:
    """Return the link that adds the bot with its commands."""
    query = {"client_id": settings.client_id, "scope": "bot applications.commands", "permissions": str(PERMISSIONS.value)}
    return str(URL(f"{settings.site}/oauth2/authorize").with_query(query))
