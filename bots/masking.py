"""What no log line may hold: secrets, and characters that could forge a line."""

import re
from collections.abc import Iterable

MASK = "•••"
MIN_KNOWN = 6
"""Shorter known secrets are left alone: masking them would garble every other word."""
_PATTERNS = (
    re.compile(r"\b(?:sk|rk|pk)_(?:live|test)?_?[A-Za-z0-9_]{6,}"),  # the payment processor's keys
    re.compile(r"\bwhsec_[A-Za-z0-9+/=_-]{6,}"),  # its signing secrets
    re.compile(r"\b\w+_secret_[A-Za-z0-9]{6,}"),  # and what lets a browser pay
    re.compile(r"\bxox[a-z](?:-[A-Za-z0-9]+)+|\bxapp-[A-Za-z0-9-]+"),
    re.compile(r"\b[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}"),  # a bot token in three parts
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),  # a password in an address
    re.compile(r"(?i)(?<=\bbearer )[^\s\"',;]+|(?<=\bbasic )[A-Za-z0-9+/=]{8,}|(?<=\bbot )[A-Za-z0-9._-]{20,}"),
    re.compile(
        r"(?i)(?<![A-Za-z])(?P<name>[\w-]*(?:token|secret|password|authorization|api[_-]?key|cookie)[\"']?\s*[=:]\s*[\"']?)"
        r"(?!•|Bearer|Bot |Basic|None\b|null\b)[^\s\"'&,;)}\]]{8,}"
    ),
    re.compile(  # names that also stand before harmless words, so that only what looks random goes
        r"(?i)(?<![A-Za-z])(?P<name>(?:[\w-]*_)?(?:code|state|signature)[\"']?\s*[=:]\s*[\"']?)(?=[^\s\"'&]*\d)[^\s\"'&,;)}\]]{16,}"
    ),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Masker:
    """Hides the secrets it is given, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= MIN_KNOWN}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def mask(self, text: str) -> str:
        """Return ``text`` with every secret replaced."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern in _PATTERNS:
            text = pattern.sub(lambda found: f"{found.groupdict().get('name', '')}{MASK}", text)
        return text


def printable(text: str) -> str:
    """Return ``text`` with control characters written out, tab and line feed too: a name cannot start a line of its own."""
    return _CONTROL.sub(_written_out, text).replace("\n", "\\n").replace("\t", "\\t")


def _written_out(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}" if ord(found[0]) < 256 else f"\\u{ord(found[0]):04x}"  # noqa: PLR2004 - one byte
