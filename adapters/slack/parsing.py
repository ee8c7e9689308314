"""What is typed after ``/doorman``, as a command and its options: by name or in order, and forgiving of how people write."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapters.slack.tokens import Token, canonical, tokens, unknown_name
from adapters.slack.usage import GROUP, nearest, overview, short, wrong
from adapters.slack.values import Value, WrongValueError, fits, read, unescaped
from core.commands import CommandKind, CommandSpec, Option, OptionKind

_WORD = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A command and what was given for its options."""

    spec: CommandSpec
    values: Mapping[str, Value]

    @property
    def bare(self) -> bool:
        """Whether nothing was given though something is needed: then a form asks for it."""
        return not self.values and any(option.required for option in self.spec.options)


def understand(specs: Sequence[CommandSpec], text: str, command: str) -> Asked:
    """Return what ``text`` asks for; NotUnderstoodError says how it is written. ``command`` is our own, as the workspace has it."""
    typed = [spec for spec in specs if spec.kind is CommandKind.SLASH]
    words = text.split()
    if not words:
        raise overview(typed, command, "This is what I understand:")
    spec, count = _find(typed, words, command)
    rest = text
    for _ in range(count):
        rest = _WORD.sub("", rest, count=1)
    try:
        asked = Asked(spec, dict(_values(spec, rest)))
    except WrongValueError as problem:
        raise wrong(spec, command, str(problem)) from problem
    missing = [option.name for option in spec.options if option.required and option.name not in asked.values]
    if missing and not asked.bare:
        raise wrong(spec, command, f"Something is missing: {', '.join(missing)}.")
    return asked


def _find(specs: Sequence[CommandSpec], words: Sequence[str], command: str) -> tuple[CommandSpec, int]:
    """Return the command with the most words in common, and how many were typed for it."""
    said = tuple(word.casefold() for word in words)
    begun = said[1:] if said[0] == GROUP else said
    for spec in sorted(specs, key=lambda spec: -len(spec.words)):
        for known, at in ((spec.words, said), (short(spec), begun)):
            if at[: len(known)] == known:
                return spec, len(known) + len(said) - len(at)
    branch = [spec for spec in specs if begun[:1] == short(spec)[:1] and len(short(spec)) > 1]
    if not begun or (branch and len(begun) == 1):
        raise overview(branch or specs, command, "This is what I understand:")
    raise nearest(specs, begun, command)


def _values(spec: CommandSpec, text: str) -> Iterator[tuple[str, Value]]:
    options = {canonical(option.name): option for option in spec.options}
    given = _assign(list(options.values()), tokens(text, options))
    for name, written in given.items():
        if written:
            yield options[name].name, read(options[name], written)


def _assign(options: Sequence[Option], pieces: Sequence[Token]) -> dict[str, str]:
    """Return what was written for each option, by its canonical name."""
    given = {one.name: "" for one in pieces if one.name}
    ordered = sorted(options, key=lambda option: not option.required)
    free = [option for option in ordered if canonical(option.name) not in given]
    last, by_name = None, False
    for one in pieces:
        if one.name:
            option = next(option for option in options if canonical(option.name) == one.name)
            given[one.name] = one.text
            last, by_name = (option if option.kind is OptionKind.TEXT else None), True
            continue
        flag = _flag(free, one)
        taken = flag or _meant(options, free, one, last, by_name=by_name)
        name = canonical(taken.name)
        given[name] = "yes" if flag else f"{given[name]} {one.text}" if name in given else one.text
        if taken in free:
            free.remove(taken)
            last, by_name = (taken if taken.kind is OptionKind.TEXT else last), False
    return given


def _flag(free: Sequence[Option], one: Token) -> Option | None:
    """A yes-or-no option may be switched on by its name alone."""
    if one.quoted:
        return None
    return next((option for option in free if option.kind is OptionKind.BOOLEAN and canonical(option.name) == canonical(one.text)), None)


def _meant(options: Sequence[Option], free: Sequence[Option], one: Token, last: Option | None, *, by_name: bool) -> Option:
    """Return the option an unnamed piece is for.

    While something needed is missing, or nothing was named, pieces are taken in order, each for the next option it fits. One that fits
    none goes on with the text before it; so does every piece after a named text, when all that is needed is named.
    """
    _check_name(options, one)
    wanting = [option for option in free if option.required]
    if last is not None and by_name and not wanting:
        return last
    for option in free:
        if fits(option, one.text):
            return option
        if option.required:
            break
    taken = last or (wanting[0] if wanting else None)
    if taken is None:
        raise WrongValueError(f"I don't know what “{unescaped(one.text)[:40]}” is for.")
    return taken


def _check_name(options: Sequence[Option], one: Token) -> None:
    name = "" if one.quoted else unknown_name(one.text)
    close = difflib.get_close_matches(name, [canonical(option.name) for option in options], n=1, cutoff=0.75) if name else []
    if close:
        raise WrongValueError(f"There is no option {name}. Did you mean {close[0]}?")
