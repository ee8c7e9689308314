"""Reading what a client sent: whatever does not fit is refused with 50035 and the place where it stands."""

from typing import Any

from sandbox.discord.errors import Payload, invalid

Shape = Any
"""A type or tuple of types; ``[shape]`` for a list of it; ``{name: shape}`` for an object. None fits everywhere but in a list."""


def fit(value: Any, shape: Shape, path: str = "") -> None:  # noqa: ANN401 - any JSON
    """Refuse with 50035 unless ``value`` has ``shape``; fields the shape does not name are not looked at."""
    if value is None:
        return
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise invalid({path: ("DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")})
        for name, inner in shape.items():
            fit(value.get(name), inner, f"{path}.{name}" if path else name)
    elif isinstance(shape, list):
        for index, one in enumerate(listed(value, path)):
            if one is None:
                raise invalid({f"{path}.{index}": ("BASE_TYPE_REQUIRED", "This field is required")})
            fit(one, shape[0], f"{path}.{index}" if path else str(index))
    elif not isinstance(value, shape) or (isinstance(value, bool) and shape is not bool):
        raise invalid({path: ("BASE_TYPE_CONVERT", "Could not interpret this value.")})


def listed(value: object, path: str) -> list[Any]:
    """Return ``value`` if it is a list, an empty one for None; 50035 otherwise."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid({path: ("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")})
    return value


def objects(value: object, path: str) -> list[Payload]:
    """Return ``value`` if it is a list of objects; 50035 otherwise."""
    fit(value, [{}], path)
    return listed(value, path)


def snowflake(value: object, name: str) -> int:
    """Return ``value`` as an id or refuse with 50035."""
    text = str(value)
    if not text.isascii() or not text.isdigit() or len(text) > 20:  # noqa: PLR2004 - 64 bits
        raise invalid({name: ("NUMBER_TYPE_COERCE", f'Value "{text[:60]}" is not snowflake.')})
    return int(text)


def number(value: object, name: str, lowest: int, highest: int) -> int:
    """Return ``value`` as a whole number from ``lowest`` to ``highest`` or refuse with 50035."""
    try:
        found = int(str(value))
    except ValueError:
        raise invalid({name: ("NUMBER_TYPE_COERCE", f'Value "{str(value)[:60]}" is not int.')}) from None
    if found < lowest:
        raise invalid({name: ("NUMBER_TYPE_MIN", f"int value should be greater than or equal to {lowest}.")})
    if found > highest:
        raise invalid({name: ("NUMBER_TYPE_MAX", f"int value should be less than or equal to {highest}.")})
    return found


def required(fields: Payload, *names: str) -> None:
    """Refuse with 50035 when a field is missing."""
    missing = {name: ("BASE_TYPE_REQUIRED", "This field is required") for name in names if fields.get(name) in (None, "")}
    if missing:
        raise invalid(missing)


def text(fields: Payload, name: str, longest: int) -> str:
    """Return a required text field of at most ``longest`` characters or refuse with 50035."""
    required(fields, name)
    found = str(fields[name])
    if not 1 <= len(found) <= longest:
        raise invalid({name: ("BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {longest} in length.")})
    return found
