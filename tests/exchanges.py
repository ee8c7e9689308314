"""Which recorded exchanges are the same to a vendor's description: those that differ in ids, in moments and in nothing else.

A description speaks of names, types, choices, lengths, numbers and formats. All of these are kept: every key, every word, every number
that is no moment, how many there are in a list, how long an id is and of which kinds of characters.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

_LONG = re.compile(r"[\w-]{10,}", re.ASCII)
_KINDS = str.maketrans({chr(first + more): chr(first) for first, many in ((48, 10), (65, 26), (97, 26)) for more in range(many)})
_MOMENT = 10**8
"""Whole numbers from here on are moments in seconds, of which only the length is kept."""


def distinct(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out each exchange that is the same as an earlier one."""
    seen: set[tuple[object, ...]] = set()
    for line in lines:
        shape = _shape(json.loads(line))
        if shape not in seen:
            seen.add(shape)
            yield line


def _shape(exchange: dict[str, Any]) -> tuple[object, ...]:
    bodies = {name: _body(exchange[f"{name}_body"], exchange[f"{name}_content_type"]) for name in ("request", "response")}
    return tuple(_value(part) for part in (exchange | {f"{name}_body": body for name, body in bodies.items()}).values())


def _body(text: str | None, content_type: str) -> object:
    if text and content_type.startswith("application/json"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    if text and "form" in content_type:
        return dict(enumerate(parse_qsl(text, keep_blank_values=True)))
    return text


def _value(value: object) -> object:
    match value:
        case dict():
            return frozenset((_value(key), _value(one)) for key, one in value.items())
        case list() | tuple():
            return len(value), frozenset(map(_value, value))
        case str():
            return _LONG.sub(_kinds, value)
        case int() if not isinstance(value, bool) and abs(value) >= _MOMENT:
            return "moment", value < 0, len(str(value))
    return type(value), value


def _kinds(found: re.Match[str]) -> str:
    """Return an id with the kind of each of its characters; a word without a figure is no id."""
    return found[0].translate(_KINDS) if any(map(str.isdigit, found[0])) else found[0]
