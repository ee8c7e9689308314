"""How commands are written, for those who wrote them another way."""

import difflib
from collections.abc import Iterable, Sequence

from core.commands import CommandSpec

GROUP = "doorman"
"""The word that commands are grouped under; typed after our own name it may be left out."""
_SHOWN = 25


class NotUnderstoodError(Exception):
    """Nothing was done; the message, for whoever typed, says why and how it is written. Plain text, not escaped."""


def short(spec: CommandSpec) -> tuple[str, ...]:
    """Return the words as one types them."""
    return spec.words[1:] if spec.words[0] == GROUP and len(spec.words) > 1 else spec.words


def usage(spec: CommandSpec, command: str) -> str:
    """Return how ``spec`` is written: what may be left out stands in brackets."""
    ordered = sorted(spec.options, key=lambda option: not option.required)
    options = (f"{one.name}:…" if one.required else f"[{one.name}:…]" for one in ordered)
    return " ".join([command, *short(spec), *options])


def overview(specs: Iterable[CommandSpec], command: str, opening: str) -> NotUnderstoodError:
    """Return the list of what can be typed, after a sentence that says why it is shown."""
    lines = [f"• {usage(spec, command)}: {spec.description}" for spec in specs]
    return NotUnderstoodError("\n".join([opening, *lines[:_SHOWN]]))


def nearest(specs: Sequence[CommandSpec], typed: Sequence[str], command: str) -> NotUnderstoodError:
    """Return what to say to words that are no command: the one that comes closest, or all of them."""
    said = " ".join(typed[:3])
    names = {" ".join(short(spec)): spec for spec in specs}
    close = [
        match
        for length in range(min(len(typed), 3), 0, -1)
        for match in difflib.get_close_matches(" ".join(typed[:length]).casefold(), names, n=1, cutoff=0.6)
    ]
    if not close:
        return overview(specs, command, f"I don't know “{said}”. This is what I understand:")
    return NotUnderstoodError(f"I don't know “{said}”. Did you mean this?\n{usage(names[close[0]], command)}")


def wrong(spec: CommandSpec, command: str, why: str) -> NotUnderstoodError:
    """Return what to say when a command's options are not right."""
    return NotUnderstoodError(f"{why}\nWrite it like this: {usage(spec, command)}")
