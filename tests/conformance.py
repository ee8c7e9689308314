"""Holds records of exchanges against the vendors' own descriptions: ``python -m tests.conformance CHECKER RECORD…``.

The checker is a program of its own that knows nothing of these tests. Here it is given every exchange that is not the same as another,
shared out over the machine's processors, and what it works out about one of Stripe's modules, which depends on that module alone, is
worked out once.
"""

import importlib
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from tests.exchanges import distinct

RECORD = os.environ.get("SANDBOX_RECORD")  # noqa: TID251 - the one place: where whoever started the tests wants every exchange, to judge it
SHARE = 200
"""Exchanges below which one process is done sooner than several."""


def judge(checker: Path, record: Path) -> None:
    """Fail, with the findings, when anything on record is not as its vendor describes it. Without the checker nothing is judged."""
    if checker.exists():
        command = [sys.executable, "-m", "tests.conformance", str(checker), str(record)]
        judged = subprocess.run(  # noqa: S603 - nothing of it comes from outside
            command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False
        )
        assert judged.returncode == 0, judged.stdout + judged.stderr


def main(checker: Path, records: Sequence[str]) -> int:
    """Check every record; return 0 when nothing was found."""
    lines = list(distinct(line for record in records for line in Path(record).read_bytes().splitlines(keepends=True)))
    shares = max(1, min(os.cpu_count() or 1, len(lines) // SHARE))
    with ExitStack() as stack:
        processes = []
        for number in range(shares):
            share: IO[bytes] = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".jsonl"))
            share.writelines(itertools.islice(lines, number, None, shares))
            share.flush()
            command = [sys.executable, "-m", "tests.conformance", "--share", str(checker), share.name]
            processes.append(stack.enter_context(subprocess.Popen(command)))  # noqa: S603 - this program
        return max(process.wait() for process in processes)


def check(checker: Path, record: str) -> int:
    """Check one record in this process."""
    sys.path.insert(0, str(checker.parent))
    program = importlib.import_module(checker.stem)
    shapes: Any = importlib.import_module("stripe_shapes")
    look_up, known = shapes.ns_for, dict[str, object]()

    def once(cls: type) -> object:
        if cls.__module__ not in known:
            known[cls.__module__] = look_up(cls)
        return known[cls.__module__]

    shapes.ns_for = once
    return int(program.main([record]))


if __name__ == "__main__":
    if sys.argv[1] == "--share":
        sys.exit(check(Path(sys.argv[2]), sys.argv[3]))
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
