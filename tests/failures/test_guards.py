"""Each failure has a test named after it, and each of these is red once what it is about is taken away."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.failures.guards import GUARDS

HERE = Path(__file__).parent
ALL = range(1, 54)
ELSEWHERE = {28: "disputes", 34: "gifts", 36: "erasing a person", 37: "closing a community", 40: "grants only, after a backup is restored"}
"""Failures of what is tried beside what it belongs to, as far as it is there."""


def numbers() -> list[int]:
    return sorted(int(path.name.split("_")[1]) for path in HERE.glob("test_[0-9][0-9]_*.py"))


def test_every_failure_has_its_test_and_every_test_its_guard() -> None:
    assert numbers() == [number for number in ALL if number not in ELSEWHERE]
    assert sorted(GUARDS) == numbers()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_each_is_red_when_its_guard_is_taken_away() -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", "-q", str(HERE), "--without-guards", "--deselect"]
    done = subprocess.run(  # noqa: S603 - our own tests
        [*command, f"{HERE}/test_guards.py"], capture_output=True, text=True, check=False, cwd=HERE.parent.parent
    )
    assert done.returncode == 0, done.stdout
    assert f"{len(numbers())} xfailed" in done.stdout
