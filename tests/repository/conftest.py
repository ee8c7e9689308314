"""Running a tool from the outside, with nothing of this process's environment but a path."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def run() -> Run:
    """Run ``program *arguments`` in ``cwd`` and return what it said, both streams in ``stdout``."""

    def call(program: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        executable = shutil.which(program)
        assert executable, f"{program} is needed to run these tests"
        return subprocess.run(  # noqa: S603 - the tests choose the program
            [executable, *arguments],
            cwd=cwd,
            env={"PATH": os.defpath, "PYTHONPATH": str(cwd), "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=50,
            check=False,
        )

    return call


@pytest.fixture
def tracked(root: Path, run: Run) -> dict[str, str]:
    """Every text file under version control, by its path."""
    listed = run("git", "-c", "safe.directory=*", "ls-files", "-z")
    assert listed.returncode == 0, listed.stdout
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        try:
            texts[name] = (root / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):  # a picture, or removed but not committed yet
            continue
    return texts
