"""One option's value, from what was typed or chosen to what the core takes."""

import re
from dataclasses import dataclass

from core.commands import Option, OptionKind

_YES = frozenset({"true", "yes", "y", "on", "1"})
_NO = frozenset({"false", "no", "n", "off", "0"})
_NUMBER = re.compile(r"([+-]?\d{1,15})(?:\s*[A-Za-z]+)?")
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>|([UW][A-Z0-9]{6,})")
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|([^>]*))?>|([CG][A-Z0-9]{6,})")
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|@?([^>]*))?>|(S[A-Z0-9]{6,})")
_ENTITY = re.compile(r"<([^<>]*)>")
_PATTERNS = {
    OptionKind.USER: (_USER,),
    OptionKind.CHANNEL: (_CHANNEL,),
    OptionKind.RESOURCE: (_CHANNEL, _GROUP),
}
_MARKS = {OptionKind.USER: "@", OptionKind.CHANNEL: "#", OptionKind.RESOURCE: "#@"}
_HOW = {
    OptionKind.USER: "Type @ and pick the person from Slack's list.",
    OptionKind.CHANNEL: "Type # and pick the channel from Slack's list.",
    OptionKind.RESOURCE: "Type # and pick the channel from Slack's list, or @ and the user group.",
}


@dataclass(frozen=True, slots=True)
class Value:
    """``value`` as the core takes it, and the ``label`` it goes by. ``sought``: only a name was typed, and the id has to be found."""

    value: str | int | bool
    label: str = ""
    sought: bool = False


class WrongValueError(Exception):
    """The value does not do; the message says why."""


def fits(option: Option, text: str) -> bool:
    """Return whether ``text`` looks like a value of ``option``, when nothing says that it is meant for it."""
    match option.kind:
        case OptionKind.TEXT:
            return not option.choices or _choice(option, text) is not None
        case OptionKind.INTEGER:
            return _NUMBER.fullmatch(text) is not None
        case OptionKind.BOOLEAN:
            return text.casefold() in _YES | _NO
        case _:
            return text[:1] in _MARKS[option.kind] or _named(option.kind, text) is not None


def read(option: Option, text: str) -> Value:
    """Return what ``text`` means for ``option``; WrongValueError when it cannot be meant."""
    match option.kind:
        case OptionKind.TEXT:
            return Value(_text(option, unescaped(text)))
        case OptionKind.INTEGER:
            return Value(_integer(option, text.strip()))
        case OptionKind.BOOLEAN:
            return Value(_boolean(option, text.strip()))
        case _:
            return _thing(option, text.strip())


def unescaped(text: str) -> str:
    """Return what Slack sends as it was typed: mentions, channels and addresses by their names, ``& < >`` as themselves."""
    return _ENTITY.sub(_spoken, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _spoken(found: re.Match[str]) -> str:
    target, _, label = found[1].partition("|")
    mark = {"@": "@", "#": "#", "!": "@"}.get(target[:1], "")
    if not mark:
        return target.removeprefix("mailto:") if label else target
    return mark + (label.removeprefix("@") or re.sub(r"^.(?:subteam\^)?", "", target))


def _text(option: Option, text: str) -> str:
    if option.choices:
        chosen = _choice(option, text)
        if chosen is None:
            raise WrongValueError(f"{option.name} is one of: {', '.join(option.choices)}.")
        return chosen
    if option.highest is not None and len(text) > option.highest:
        raise WrongValueError(f"{option.name} has at most {option.highest} characters.")
    if option.lowest is not None and len(text) < option.lowest:
        raise WrongValueError(f"{option.name} has at least {option.lowest} characters.")
    return text


def _choice(option: Option, text: str) -> str | None:
    return next((one for one in option.choices if one.casefold() == text.strip().casefold()), None)


def _integer(option: Option, text: str) -> int:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise WrongValueError(f"{option.name} is a whole number.")
    number = int(found[1])
    if option.lowest is not None and number < option.lowest:
        raise WrongValueError(f"{option.name} is at least {option.lowest}.")
    if option.highest is not None and number > option.highest:
        raise WrongValueError(f"{option.name} is at most {option.highest}.")
    return number


def _boolean(option: Option, text: str) -> bool:
    word = text.casefold()
    if word not in _YES | _NO:
        raise WrongValueError(f"{option.name} is yes or no.")
    return word in _YES


def _thing(option: Option, text: str) -> Value:
    found = _named(option.kind, text)
    if found is not None:
        return found
    name = unescaped(text).lstrip("#@").strip()
    if not name or option.kind is OptionKind.USER or text.startswith("<"):
        raise WrongValueError(f"I can't tell what {option.name} is. {_HOW[option.kind]}")
    return Value(name, name, sought=True)


def _named(kind: OptionKind, text: str) -> Value | None:
    for pattern in _PATTERNS[kind]:
        found = pattern.fullmatch(text)
        if found is not None:
            return Value(found[1] or found[3], unescaped(found[2] or ""))
    return None
