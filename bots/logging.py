"""The log: one line per record on standard error, for people or for machines, and never a secret in it."""

import logging
import sys
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import structlog

from bots.masking import Masker, printable

OURS = ("adapters", "billing", "bots", "core", "membership", "sandbox", "storage", "web")
"""Packages whose loggers follow LOG_LEVEL. Libraries say only what is at least a warning: some write bodies and tokens at DEBUG."""


def configure_logging(
    level: str = "INFO", form: Literal["console", "json"] = "console", *, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Set up the process's log. ``secrets`` are values to mask wherever they turn up; ``stream`` is standard error unless given."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(form, Masker(secrets)))
    handler.addFilter(_worth_saying)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=True)


def _worth_saying(record: logging.LogRecord) -> bool:
    """A library may set its own logger to DEBUG and pass records on; the root's level does not stop those."""
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OURS


def _formatter(form: str, masker: Masker) -> logging.Formatter:
    def safe(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:  # noqa: ANN401 - structlog's signature
        lines = event.pop("exception", None)
        cleaned = {key: _clean(value, masker) for key, value in event.items() if not key.startswith("_")}
        return {**cleaned, **({"exception": [printable(masker.mask(line)) for line in lines]} if lines else {})}

    class Formatter(structlog.stdlib.ProcessorFormatter):
        def format(self, record: logging.LogRecord) -> str:
            return masker.mask(super().format(record))

    chain: list[structlog.typing.Processor] = [_facts, structlog.stdlib.ExtraAdder(), _exception]
    return Formatter(processors=[*chain, safe, _json if form == "json" else _line], keep_exc_info=False, keep_stack_info=False)


def _facts(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:  # noqa: ANN401
    record: logging.LogRecord = event["_record"]
    when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {"time": when.replace("+00:00", "Z"), "level": record.levelname.lower(), "logger": record.name, **event}


def _exception(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:  # noqa: ANN401
    """Write the traceback out plainly: the variables of its frames hold what nobody may read."""
    info = event.pop("exc_info", None)
    if info and info[0] is not None:
        event["exception"] = "".join(traceback.format_exception(*info)).splitlines()
    return event


def _clean(value: object, masker: Masker) -> object:
    if isinstance(value, bool | int | float | None):
        return value
    return printable(masker.mask(value if isinstance(value, str) else str(value)))


def _line(_logger: Any, _method: str, event: structlog.typing.EventDict) -> str:  # noqa: ANN401
    head = f"{event.pop('time')} {event.pop('level'):<7} {event.pop('logger')}: {event.pop('event')}"
    lines = event.pop("exception", [])
    extras = "".join(f" {key}={value!r}" for key, value in event.items())
    return "\n".join([head + extras, *(f"  | {line}" for line in lines)])


def _json(logger: Any, method: str, event: structlog.typing.EventDict) -> str:  # noqa: ANN401
    if "exception" in event:
        event["exception"] = "\n".join(event["exception"])
    rendered = structlog.processors.JSONRenderer(ensure_ascii=False)(logger, method, event)
    return rendered if isinstance(rendered, str) else rendered.decode()
