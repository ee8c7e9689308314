"""A canary for the log: every logger at DEBUG, every record as the product would write it, and no secret in any line.

Libraries' records below WARNING are not written by the product; they are looked at all the same, for the kinds of token that open
something by themselves. Lines that the product does write may hold none of the secrets made while the canary sits, link codes included.
"""

import logging
import re
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bots.logging import _formatter, _worth_saying
from bots.masking import Masker
from core.ids import RandomIds
from sandbox.discord.ids import Ids as DiscordIds
from sandbox.slack.ids import Ids as SlackIds

TOKENS = re.compile(r"\bxox[a-z](?:\.xox[a-z])?-[\w-]{6,}|\bxapp-[\w-]{6,}|\b[sr]k_(?:test|live)_\w{6,}|\bwhsec_\w{6,}")
SHORTEST = 24
"""Characters. What is shorter is an id, or chance."""
_WORDS = re.compile(rf"[\w.~-]{{{SHORTEST},}}")
_ORDINARY = frozenset(vars(logging.makeLogRecord({})))


class Canary(logging.Handler):
    """Reads every record. ``leaks`` says where a secret got through."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.leaks: list[str] = []
        self.seen = self.caught = 0
        self._settings: set[str] = set()
        self._made: set[str] = set()
        self._as_the_product = _formatter("console", Masker())

    def knows(self, settings: Iterable[str]) -> None:
        """Take in the secrets of a product that starts, which it masks by value."""
        self._settings.update(settings)
        self.masks(Masker(self._settings))

    def masks(self, masker: Masker) -> None:
        """Write lines with this masker from now on."""
        self._as_the_product = _formatter("console", masker)

    def made(self, secret: str) -> None:
        """Take in a secret that somebody has just made."""
        if len(secret) >= SHORTEST:
            self._made.add(secret)

    def emit(self, record: logging.LogRecord) -> None:
        self.seen += 1
        if not self._secret(_raw(record), record):
            return  # formatting adds nothing, and is dear
        self.caught += 1
        line = self._as_the_product.format(record)
        if self._secret(line, record):
            self.leaks.append(f"{record.name}, {record.levelname}: {record.msg!r:.200}")

    def _secret(self, line: str, record: logging.LogRecord) -> bool:
        if TOKENS.search(line) is not None:
            return True
        words = set(_WORDS.findall(line))
        return not words.isdisjoint(self._settings) or (_worth_saying(record) and not words.isdisjoint(self._made))


def _raw(record: logging.LogRecord) -> str:
    """Return all of a record that a line could show."""
    parts = [record.getMessage(), *(str(value) for key, value in vars(record).items() if key not in _ORDINARY)]
    if record.exc_info and record.exc_info[0] is not None:
        parts += traceback.format_exception(*record.exc_info)
    return "\n".join(parts)


@contextmanager
def sitting(patch: pytest.MonkeyPatch) -> Iterator[Canary]:
    """Let a canary sit on the root logger, with every logger at DEBUG; pytest's own handlers go on reading what they read."""
    canary, root = Canary(), logging.getLogger()
    for maker in (RandomIds, DiscordIds, SlackIds):
        patch.setattr(maker, "secret", _telling(maker.secret, canary))
    loggers = [root, *(one for one in root.manager.loggerDict.values() if isinstance(one, logging.Logger) and one.level)]
    levels, handlers = [one.level for one in loggers], [(one, one.level) for one in root.handlers]
    for handler, level in handlers:
        handler.setLevel(max(level, root.level))
    for one in loggers:
        one.setLevel(logging.DEBUG)
    root.addHandler(canary)
    try:
        yield canary
    finally:
        root.removeHandler(canary)
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
        for handler, level in handlers:
            handler.setLevel(level)


def _telling(make: Any, canary: Canary) -> Any:  # noqa: ANN401 - three signatures
    def secret(self: object, *args: int) -> str:
        made: str = make(self, *args)
        canary.made(made)
        return made

    return secret
