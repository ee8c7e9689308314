"""Form bodies and query strings, with their brackets, as nested values."""

from urllib.parse import parse_qsl

from sandbox.stripe.errors import invalid
from sandbox.stripe.resource import Json

MAX_DEPTH = 8


def decode(text: str) -> Json:
    """Return ``a[b][0][c]=1&a[d]=2`` as ``{"a": {"b": [{"c": "1"}], "d": "2"}}``; every leaf is a string."""
    tree: Json = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        _put(tree, _split(key), value, key)
    return {name: _lists(child) for name, child in tree.items()}


def _split(key: str) -> list[str]:
    head, bracket, rest = key.partition("[")
    if not bracket:
        return [key]
    if not head or not rest.endswith("]"):
        raise invalid(f"Invalid parameter name: {key}", key)
    return [head, *rest[:-1].split("][")]


def _put(tree: Json, parts: list[str], value: str, key: str) -> None:
    if len(parts) > MAX_DEPTH:
        raise invalid(f"Parameter is nested too deeply: {key}", key)
    at = tree
    for part in parts[:-1]:
        child = at.setdefault(part or str(len(at)), {})
        if not isinstance(child, dict):
            raise invalid(f"Invalid parameter: {key} is given both as a value and as a hash", parts[0])
        at = child
    last = parts[-1] or str(len(at))
    if isinstance(at.get(last), dict):
        raise invalid(f"Invalid parameter: {key} is given both as a value and as a hash", parts[0])
    at[last] = value


def _lists(value: object) -> object:
    if not isinstance(value, dict):
        return value
    children = {key: _lists(child) for key, child in value.items()}
    if children and all(key.isdecimal() for key in children):
        return [children[key] for key in sorted(children, key=int)]
    return children
