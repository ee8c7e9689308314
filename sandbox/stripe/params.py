"""What a route accepts: readers that turn form strings into typed values and refuse the rest by name."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from sandbox.stripe.errors import ApiError, invalid, missing_parameter, unknown_parameter
from sandbox.stripe.resource import Json

Reader = Callable[[object, str], object]
Table = Mapping[str, Reader]

MAX_METADATA_KEYS = 50
MAX_METADATA_KEY = 40
MAX_METADATA_VALUE = 500
MAX_STRING = 5000


def text(value: object, name: str) -> object:
    """Read a string that may not be empty."""
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {value}", name)
    if not value:
        raise ApiError(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value.",
            code="parameter_invalid_empty",
            param=name,
        )
    if len(value) > MAX_STRING:
        raise invalid(f"Invalid string: {name} must be at most {MAX_STRING} characters", name)
    return value


def integer(value: object, name: str) -> object:
    """Read a whole number."""
    try:
        return int(str(text(value, name)), 10)
    except ValueError:
        raise ApiError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name) from None


def decimal(value: object, name: str) -> object:
    """Read a number with decimals, kept as a float as the API shows it."""
    try:
        return float(Decimal(str(text(value, name))))
    except InvalidOperation:
        raise invalid(f"Invalid decimal: {value}", name) from None


def boolean(value: object, name: str) -> object:
    """Read true or false."""
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", name)
    return value == "true"


def choice(*names: str) -> Reader:
    """Read one of ``names``."""

    def read(value: object, name: str) -> object:
        if value not in names:
            raise invalid(f"Invalid {name}: must be one of {', '.join(names)}", name)
        return value

    return read


def currency(value: object, name: str) -> object:
    """Read a three-letter currency code, in lower case."""
    code = str(text(value, name)).lower()
    if len(code) != 3 or not code.isascii() or not code.isalpha():  # noqa: PLR2004 - ISO 4217
        raise invalid(f"Invalid currency: {code}. Give a three-letter ISO code.", name)
    return code


def unsettable(reader: Reader) -> Reader:
    """Read as ``reader``, or the empty string as None: the caller clears the field."""
    return lambda value, name: None if value == "" else reader(value, name)


def either(first: Reader, *literals: str) -> Reader:
    """Read one of ``literals`` as it is, or anything else by ``first``."""
    return lambda value, name: value if value in literals else first(value, name)


def array(reader: Reader) -> Reader:
    """Read a list."""

    def read(value: object, name: str) -> object:
        if not isinstance(value, list):
            raise invalid("Invalid array", name)
        return [reader(item, f"{name}[{place}]") for place, item in enumerate(value)]

    return read


def nested(table: Table, *required: str) -> Reader:
    """Read a hash whose keys ``table`` lists."""

    def read(value: object, name: str) -> object:
        if not isinstance(value, dict):
            raise invalid("Invalid object", name)
        return read_table(value, table, required, name)

    return read


def metadata(value: object, name: str) -> object:
    """Read up to 50 keys of up to 40 characters with values up to 500; an empty value removes its key, '' all of them."""
    if value == "":
        return None
    if not isinstance(value, dict):
        raise invalid("Invalid object", name)
    if len(value) > MAX_METADATA_KEYS:
        raise invalid(f"You can have at most {MAX_METADATA_KEYS} keys in metadata.", name)
    for key, content in value.items():
        if len(key) > MAX_METADATA_KEY or not isinstance(content, str) or len(content) > MAX_METADATA_VALUE:
            raise invalid("Metadata keys may have up to 40 characters, and values up to 500.", f"{name}[{key}]")
    return value


def merged(current: Json | None, change: Json | None) -> Json:
    """Return metadata after ``change``: None clears all, an empty value removes its key."""
    if change is None:
        return {}
    return {key: value for key, value in ((current or {}) | change).items() if value != ""}


def read_table(values: Mapping[str, object], table: Table, required: tuple[str, ...], prefix: str = "") -> Json:
    """Return ``values`` read by ``table``; raise parameter_unknown or parameter_missing with the full name."""
    read: Json = {}
    for key, value in values.items():
        name = f"{prefix}[{key}]" if prefix else key
        reader = table.get(key)
        if reader is None:
            raise unknown_parameter(name)
        read[key] = reader(value, name)
    for key in required:
        if key not in read:
            raise missing_parameter(f"{prefix}[{key}]" if prefix else key)
    return read


RANGE: Reader = nested({"gt": integer, "gte": integer, "lt": integer, "lte": integer})


def moment(value: object, name: str) -> object:
    """Read a list filter on a time: one Unix time, or a hash of gt, gte, lt, lte."""
    return RANGE(value, name) if isinstance(value, dict) else integer(value, name)


EXPAND: Table = {"expand": array(text)}
LISTING: Table = {"limit": integer, "starting_after": text, "ending_before": text, "created": moment}
