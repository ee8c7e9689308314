"""Stored objects: exactly the JSON the API shows, plus facts it never shows."""

import json
from typing import Any

Json = dict[str, Any]


class Resource(dict[str, Any]):
    """One API object. What a caller must not see (the card behind a payment method, say) is in ``hidden``."""

    __slots__ = ("hidden", "seq")

    def __init__(self, shown: Json, hidden: Json | None = None) -> None:
        super().__init__(shown)
        self.hidden: Json = hidden or {}
        self.seq = 0

    @property
    def id(self) -> str:
        """The object's id."""
        found: str = self["id"]
        return found


def snapshot(value: Json) -> Json:
    """Return a deep copy as plain JSON; the round trip through text is the fastest way there is."""
    copied: Json = json.loads(json.dumps(value))
    return copied


def differences(before: Json, after: Json) -> Json:
    """Return what ``before`` held where ``after`` differs; hashes are compared key by key, lists as a whole."""
    found: Json = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list":
            found[key] = differences(old, new)
        else:
            found[key] = old
    return {key: found[key] for key in sorted(found)}


def list_of(url: str, data: list[Any], *, has_more: bool = False) -> Json:
    """Return the API's list object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
