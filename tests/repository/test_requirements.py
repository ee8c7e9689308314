import re
from pathlib import Path

import pytest

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)
WANTED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[a-z0-9,-]+\])?(==(?P<version>\S+))?$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
FILES = ("requirements", "requirements-dev")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, str]:
    return {normal(found["name"]): found["version"] for found in PIN.finditer(path.read_text())}


def wanted(path: Path) -> dict[str, str | None]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "-r "))]
    matches = [(line, WANTED.match(line)) for line in lines]
    assert not [line for line, match in matches if match is None]
    return {normal(match["name"]): match["version"] for _, match in matches if match}


@pytest.mark.parametrize("name", FILES)
def test_everything_asked_for_is_pinned(root: Path, name: str) -> None:
    pinned = pins(root / f"{name}.txt")
    asked = wanted(root / f"{name}.in")
    assert asked
    assert not asked.keys() - pinned.keys(), "say `make requirements`"
    assert {package: pinned[package] for package, version in asked.items() if version} == {p: v for p, v in asked.items() if v}


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_a_pin_or_one_of_its_hashes(root: Path, name: str) -> None:
    lines = (root / f"{name}.txt").read_text().splitlines()
    strange = [line for line in lines if not PIN.match(line) and not HASH.match(line)]
    assert not strange
    bare = [line for line, following in zip(lines, [*lines[1:], ""], strict=True) if PIN.match(line) and not HASH.match(following)]
    assert not bare


def test_development_adds_to_what_runs_and_changes_none_of_it(root: Path) -> None:
    running = pins(root / "requirements.txt")
    developing = pins(root / "requirements-dev.txt")
    assert {package: developing.get(package) for package in running} == running


def test_nothing_is_asked_for_twice(root: Path) -> None:
    assert not wanted(root / "requirements.in").keys() & wanted(root / "requirements-dev.in").keys()
