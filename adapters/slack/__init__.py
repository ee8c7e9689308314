"""Slack: channels and user groups in workspaces, a slash command, an install page, and Sign in with Slack."""

from adapters.slack.adapter import SlackAdapter
from adapters.slack.cli import cli
from adapters.slack.settings import Settings
from adapters.slack.spaces import LABEL, NAME
from core.clock import Clock
from core.credentials import Credentials
from core.ids import Ids

__all__ = ["Settings", "SlackAdapter", "build", "cli", "label", "name"]

name = NAME
label = LABEL


def build(settings: Settings, *, clock: Clock, ids: Ids, credentials: Credentials | None = None) -> SlackAdapter:
    """Return the adapter, not started. Without ``credentials`` it serves only the workspace of the bot token in ``settings``."""
    return SlackAdapter(settings, clock=clock, ids=ids, credentials=credentials)
