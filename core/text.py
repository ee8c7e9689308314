"""Text in spans, so that escaping is nobody's to forget: a plain ``str`` is always shown as it is, only spans carry format."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.ids import PlatformUserId


@dataclass(frozen=True, slots=True)
class Bold:
    """Emphasised text."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Text to copy letter by letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Url:
    """An address, shown whole."""

    url: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A person of the platform the message goes to, shown by name; nobody is notified."""

    user: PlatformUserId


class MomentStyle(StrEnum):
    """How a moment is shown; platforms render it in the reader's own time zone."""

    DATE = "date"
    DATE_TIME = "date_time"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in time."""

    at: datetime
    style: MomentStyle = MomentStyle.DATE


Span = str | Bold | Code | Url | Mention | Moment
Text = tuple[Span, ...]


def plain(text: Iterable[Span]) -> str:
    """Return the text without any format: for logs, tests and pages."""
    return "".join(_plain(span) for span in text)


def _plain(span: Span) -> str:
    match span:
        case str():
            return span
        case Bold() | Code():
            return span.text
        case Url():
            return span.url
        case Mention():
            return f"@{span.user}"
        case Moment():
            return f"{span.at:%-d %B %Y}" if span.style is MomentStyle.DATE else f"{span.at:%-d %B %Y, %H:%M} UTC"
