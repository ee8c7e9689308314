"""One record for all workers of a run, so that it is held against the vendors' descriptions once: by whoever is last to write."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def shared_record(
    request: pytest.FixtureRequest, folders: pytest.TempPathFactory, name: str, judge: Callable[[Path], None]
) -> Iterator[Path]:
    """Yield the record to append to; ``judge`` is asked at the end, unless another worker still writes and will ask."""
    base = folders.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / name
    folder.mkdir(exist_ok=True)
    record, writer = folder / "record.jsonl", folder / f"{base.name}.writes"
    writer.touch()
    try:
        yield record
    finally:
        writer.unlink()
    if record.exists() and not list(folder.glob("*.writes")):
        judge(record)
