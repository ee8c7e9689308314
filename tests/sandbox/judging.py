"""One record for all workers of a run, so that it is held against the vendors' descriptions once: by whoever is last to write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conformance import RECORD, judge

CHECKER = Path(__file__).resolve().parents[3] / "shared" / "tools" / "conformance.py"


@contextmanager
def shared_record(request: pytest.FixtureRequest, folders: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """Yield the record to append to; it is judged at the end, unless another worker still writes and will have it judged.

    Where somebody asked for the record of the whole run, it is that one, and theirs to judge.
    """
    if RECORD:
        yield Path(RECORD)
        return
    base = folders.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / name
    folder.mkdir(exist_ok=True)
    record, writer = folder / "record.jsonl", folder / f"{base.name}.writes"
    writer.touch()
    try:
        yield record
    finally:
        writer.unlink()
    if record.exists() and record.stat().st_size and not list(folder.glob("*.writes")):
        judge(CHECKER, record)
