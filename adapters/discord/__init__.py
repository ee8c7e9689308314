"""Discord: roles in servers, joining with a person's own token, slash commands over the gateway."""

from adapters.discord.adapter import LABEL, NAME, DiscordAdapter
from adapters.discord.install import PERMISSIONS, install_url
from adapters.discord.settings import Settings
from core.clock import Clock
from core.credentials import Credentials
from core.ids import Ids

__all__ = ["PERMISSIONS", "DiscordAdapter", "Settings", "build", "install_url", "label", "name"]

name = NAME
label = LABEL


def build(settings: Settings, *, clock: Clock, ids: Ids, credentials: Credentials | None = None) -> DiscordAdapter:
    """Return the adapter, not started. It needs no ``credentials``: its one secret is the bot's token, from ``settings``."""
    del credentials
    return DiscordAdapter(settings, clock=clock, ids=ids)
