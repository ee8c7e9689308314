"""What somebody typed after a command, cut into words, quoted pieces and ``name:value`` pairs."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from core.money import CURRENCIES

_CLOSING = {'"': '"', "'": "'", "“": '”“"', "„": '“”"', "”": '”"', "«": "»", "\u2018": "\u2019'"}
"""What may end a quotation, by what began it: phones put in curly ones, and not always a pair."""
_NAME = re.compile(r"(?:--)?([A-Za-z][\w-]*)[:=]")
_BARE = re.compile(r"(?:<[^<>\n]*>|\S)*")
"""A word; what Slack made of a mention, a channel or an address is one, whatever is in it."""
_ESCAPED = re.compile(r'\\(["\\])')
_AMOUNT = re.compile(r"[$€£¥₹]?\d[\d.,']*")
_COUNT = re.compile(r"\d+")
_UNIT = re.compile(r"(?:day|week|month|year)s", re.IGNORECASE)
"""In the plural: "10 month" is what it costs and how often."""
_COMMON = frozenset({"usd", "eur", "gbp", "chf", "jpy", "sek", "nok", "dkk", "pln", "inr", "brl"})
"""Codes that may stand in small letters beside an amount; others are words as well ("all", "cup", "top")."""


@dataclass(frozen=True, slots=True)
class Token:
    """One piece. ``name`` is the option it was given for, "" when it was not; ``quoted`` pieces are never put together with others."""

    text: str
    name: str = ""
    quoted: bool = False


def canonical(name: str) -> str:
    """Return an option's name as it is in the table."""
    return name.casefold().replace("-", "_")


def tokens(text: str, names: Collection[str]) -> list[Token]:
    """Cut ``text``; only ``names`` make pairs. An amount and its currency, a number and its unit, are one piece."""
    return list(_joined(_cut(text, names)))


def unknown_name(text: str) -> str:
    """Return the name a piece would have had, had there been such an option; "" when it looks like none."""
    found = _NAME.match(text)
    return canonical(found[1]) if found and not text.startswith(("http:", "https:", "mailto:")) else ""


def _cut(text: str, names: Collection[str]) -> Iterator[Token]:
    at = _skip(text, 0)
    while at < len(text):
        name, at = _name(text, at, names)
        quoted = _quoted(text, at)
        if quoted is not None:
            value, at = quoted
        else:
            bare = _BARE.match(text, at)
            value, at = (bare[0], bare.end()) if bare and not (name and _name(text, at, names)[0]) else ("", at)
        yield Token(value, name, quoted is not None)
        at = _skip(text, at)


def _name(text: str, at: int, names: Collection[str]) -> tuple[str, int]:
    """Return the name of a pair that begins here, and where its value does, which may be after a space."""
    found = _NAME.match(text, at)
    if found is None or canonical(found[1]) not in names:
        return "", at
    return canonical(found[1]), _skip(text, found.end())


def _quoted(text: str, at: int) -> tuple[str, int] | None:
    """Return what is between quotation marks, and where it ends. An apostrophe inside a word ends nothing."""
    closing = _CLOSING.get(text[at : at + 1])
    if closing is None:
        return None
    end = at + 1
    while end < len(text):
        if text[end] == "\\":
            end += 2
            continue
        if text[end] in closing and (end + 1 == len(text) or text[end + 1].isspace()):
            return _ESCAPED.sub(r"\1", text[at + 1 : end]), end + 1
        end += 1
    return None


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _joined(pieces: Iterator[Token]) -> Iterator[Token]:
    held: Token | None = None
    for one in pieces:
        if held is not None and _belongs(held, one):
            held = replace(held, text=f"{held.text} {one.text}")
            continue
        if held is not None:
            yield held
        held = one
    if held is not None:
        yield held


def _belongs(before: Token, after: Token) -> bool:
    if before.quoted or after.quoted or after.name:
        return False
    if _COUNT.fullmatch(before.text) and _UNIT.fullmatch(after.text):
        return True
    if _AMOUNT.fullmatch(before.text):
        return _is_currency(after.text)
    return _is_currency(before.text) and bool(_AMOUNT.fullmatch(after.text))


def _is_currency(word: str) -> bool:
    return word in CURRENCIES or word in _COMMON
