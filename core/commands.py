"""Commands without a platform: what they are called, who may use them, what comes in and what goes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.ids import PlatformName, PlatformUserId
from core.text import Text


class Audience(StrEnum):
    """Who may run a command; checked again on our side each time."""

    MEMBER = "member"
    CREATOR = "creator"
    """Someone the platform says may manage the space."""


class CommandKind(StrEnum):
    """How a command is set off."""

    SLASH = "slash"
    USER_MENU = "user_menu"
    MESSAGE_MENU = "message_menu"
    BUTTON = "button"
    HOME = "home"
    """Opening our own page in the platform's client, where it has one; the reply is what the page shows."""


class OptionKind(StrEnum):
    """What an option takes; the adapter turns it into the platform's own type and back into a string id."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    USER = "user"
    RESOURCE = "resource"
    """A role, channel or group; the value is its external id."""
    CHANNEL = "channel"
    """A channel to post to; the value is its external id."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``choices`` limits a TEXT option; ``lowest``/``highest`` bound an INTEGER or a TEXT's length."""

    name: str
    description: str
    kind: OptionKind = OptionKind.TEXT
    required: bool = False
    choices: tuple[str, ...] = ()
    lowest: int | None = None
    highest: int | None = None


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One command. ``words`` is its path (``("doorman", "plan", "create")``); a BUTTON's words are the prefix of its action."""

    words: tuple[str, ...]
    description: str
    options: tuple[Option, ...] = ()
    audience: Audience = Audience.MEMBER
    private: bool = True
    """Only the asker sees the answer."""
    kind: CommandKind = CommandKind.SLASH

    @property
    def name(self) -> str:
        """The words with spaces between."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class ReplyHandle:
    """What it takes to answer later, serialisable. ``data`` is the adapter's own and may hold a short-lived token."""

    platform: PlatformName
    data: Mapping[str, str]
    expires_at: datetime
    user: PlatformUserId
    realm: str = ""
    space_external_id: str = ""


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command as it came in. ``id`` is the platform's own (unique); ``can_manage`` is what the platform said of the asker's rights."""

    id: str
    words: tuple[str, ...]
    options: Mapping[str, Any]
    """Values by option name: str, int or bool; users, resources and channels as external ids. A BUTTON's one option ``argument`` is
    what follows the colon in its action; a menu's one option ``target`` is the user or message it was used on."""
    platform: PlatformName
    realm: str
    space_external_id: str
    """Empty when asked outside a space."""
    space_name: str
    user: PlatformUserId
    user_name: str
    can_manage: bool
    at: datetime
    handle: ReplyHandle
    labels: Mapping[str, str] = field(default_factory=dict)
    """Names of the users, resources and channels in ``options``, by external id."""


@dataclass(frozen=True, slots=True)
class ReplyButton:
    """A button of a reply: opens ``url``, or runs the BUTTON command that ``action`` begins with (``"plan archive:ID"``)."""

    label: str
    url: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class CommandReply:
    """The answer to a command."""

    title: str
    body: Text
    buttons: tuple[ReplyButton, ...] = ()
    fields: tuple[tuple[str, Text], ...] = ()
    """Rows of a small table: label and value."""
