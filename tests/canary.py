"""A canary for the log of the whole suite: it hears every record of every logger, from DEBUG on, and no line may hold a secret.

Secrets made in the tests end in one mark, so that most records cost a search for one string. A record that does hold it is written as the
product would write it, with the settings unknown to the masker: what is ours to say may not need masking by value. Libraries' records
below WARNING the product does not write; they are held to what opens something by itself.
"""

import logging
import re
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bots.logging import _formatter, _worth_saying
from bots.masking import Masker
from core.ids import RandomIds
from sandbox.mark import MARK, marked

TOKENS = re.compile(r"\bxox[a-z](?:\.xox[a-z])?-[\w-]{6,}|\bxapp-[\w-]{6,}|\b[sr]k_(?:test|live)_\w{6,}|\bwhsec_\w{6,}")
_ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_CARRIES = frozenset(["exc_info", "extra", "stack_info"])
"""What makes a record say more than its words."""
_ATTRIBUTES = len(vars(logging.makeLogRecord({})))


class Canary:
    """Hears records. ``leaks`` says where a secret got through, by logger, place and what was to be said."""

    def __init__(self, masker: Masker | None = None) -> None:
        self.leaks: list[str] = []
        self.seen = self.caught = 0
        self._as_the_product = _formatter("console", masker or Masker())

    def hear(self, record: logging.LogRecord) -> None:
        """Look at one record."""
        self.seen += 1
        if MARK not in _raw(record):
            return
        self.caught += 1
        line = self._as_the_product.format(record)
        if (MARK in line and _worth_saying(record)) or TOKENS.search(line) is not None:
            where = f"{Path(record.pathname).name}:{record.lineno}"
            self.leaks.append(f"{record.name}, {record.levelname}, {where}: {str(record.msg).replace(MARK, '…')!r:.200}")

    def read(self, log: Path) -> None:
        """Look at what a child process has logged."""
        for number, line in enumerate(log.read_text(errors="replace").splitlines(), 1):
            if MARK in line:
                self.leaks.append(f"{log.name}:{number}: {line.replace(MARK, '…'):.200}")


def _raw(record: logging.LogRecord) -> str:
    """Return all of a record that a line could show."""
    if len(vars(record)) == _ATTRIBUTES and not record.exc_info:
        return record.getMessage()
    parts = [record.getMessage(), *(str(value) for key, value in vars(record).items() if key not in _ORDINARY)]
    if record.exc_info and record.exc_info[0] is not None:
        parts += traceback.format_exception(*record.exc_info)
    return "\n".join(parts)


def _text(msg: object, args: Any) -> str:  # noqa: ANN401 - as logging has it
    return str(msg) % args if args else str(msg)


def _asked_for(logger: logging.Logger, level: int) -> bool:
    return level >= logger.getEffectiveLevel() and level > logger.manager.disable


@contextmanager
def sitting(canary: Canary) -> Iterator[None]:
    """Let a canary sit beside every logger, whatever its level: what no filter of its own stops is heard, then goes where it went."""
    say, handle = logging.Logger._log, logging.Logger.handle

    def said(self: logging.Logger, level: int, msg: object, args: Any, **more: Any) -> None:  # noqa: ANN401 - as logging has it
        if more.keys() & _CARRIES or _asked_for(self, level) or MARK in _text(msg, args):
            say(self, level, msg, args, **{**more, "stacklevel": more.get("stacklevel", 1) + 1})
        else:
            canary.seen += 1  # making a record, to say where it comes from, takes longer than all else

    def heard(self: logging.Logger, record: logging.LogRecord) -> None:
        if self.filter(record):
            canary.hear(record)
        if _asked_for(self, record.levelno):
            handle(self, record)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.Logger, "isEnabledFor", lambda _self, _level: True)
        patch.setattr(logging.Logger, "_log", said)
        patch.setattr(logging.Logger, "handle", heard)
        patch.setattr(RandomIds, "secret", lambda _self: marked(secrets.token_urlsafe(32)))
        yield


@pytest.fixture(autouse=True)
def canary(request: pytest.FixtureRequest) -> Iterator[Canary]:
    """Sits over each test, its fixtures too, and fails it when a secret was logged."""
    canary = Canary()
    with sitting(canary):
        yield canary
    folder: Path | None = request.node.funcargs.get("tmp_path")
    for log in sorted(folder.rglob("*.log")) if folder else []:
        canary.read(log)
    assert not canary.leaks, "a secret was logged by " + "; ".join(dict.fromkeys(canary.leaks))
