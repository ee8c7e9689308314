"""The Makefile, with an interpreter that only writes down what it was asked to do."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

INTERPRETER = """#!/bin/sh
case "$1 $2" in
"--version ") echo Python 3.11.0 ;;
"-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo build >>LOG ;;
"-m pip") case "$*" in
    *" -r "*) [ ! -e broken ] || exit 1; for last; do :; done; echo "install $last" >>LOG ;;
    esac ;;
esac
"""
RUNTIME = ".venv/.runtime"
DEVELOPMENT = ".venv/.development"


class House:
    """A copy of the Makefile in a folder of its own."""

    def __init__(self, folder: Path, run: Run) -> None:
        self.folder, self._run = folder, run
        self.log = folder.parent / "log"

    def make(self, *targets: str, python: str | None = None) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        return self._run("make", *targets, f"PYTHON={python or self.folder.parent / 'python'}", cwd=self.folder)

    def a_minute_later(self) -> None:
        """Make everything older, so that a touched file is newer on a file system with coarse times too."""
        for path in self.folder.rglob("*"):
            if path.is_file():
                at = path.stat().st_mtime - (60 if ".venv" in path.parts else 120)
                os.utime(path, (at, at))

    def did(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def house(tmp_path: Path, root: Path, run: Run) -> House:
    folder = tmp_path / "house"
    (folder / ".ci").mkdir(parents=True)
    for name in ("Makefile", ".ci/setup", "requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        shutil.copy(root / name, folder / name)
    interpreter = tmp_path / "python"
    interpreter.write_text(INTERPRETER.replace("LOG", str(tmp_path / "log")))
    interpreter.chmod(0o755)
    return House(folder, run)


def test_make_alone_prints_every_target_with_a_line(root: Path, run: Run) -> None:
    said = run("make", cwd=root)
    assert said.returncode == 0, said.stdout
    offered = re.findall(r"^make ([a-z-]+) +\S.{10,}$", said.stdout, re.MULTILINE)
    declared = re.search(r"^\.PHONY: (help .*)$", (root / "Makefile").read_text(), re.MULTILINE)
    assert declared
    assert offered == declared[1].split()
    assert {"demo", "test", "check", "run"} <= set(offered)


def test_the_first_time_builds_and_the_second_does_nothing(house: House) -> None:
    assert house.make(RUNTIME).returncode == 0
    assert house.did() == ["build", "install requirements.txt"]
    assert house.make(RUNTIME).returncode == 0
    assert house.did() == []


def test_running_after_testing_installs_nothing(house: House) -> None:
    house.make(DEVELOPMENT)
    assert house.did() == ["build", "install requirements.txt", "install requirements-dev.txt"]
    house.make(RUNTIME, DEVELOPMENT)
    assert house.did() == []


@pytest.mark.parametrize("changed", ["requirements.txt", "pyproject.toml"])
def test_a_change_in_what_runs_is_installed_again(house: House, changed: str) -> None:
    house.make(DEVELOPMENT)
    house.a_minute_later()
    (house.folder / changed).touch()
    house.make(DEVELOPMENT)
    assert house.did() == ["install requirements.txt", "install requirements-dev.txt"]


def test_a_change_in_the_development_requirements_leaves_what_runs_alone(house: House) -> None:
    house.make(DEVELOPMENT)
    house.a_minute_later()
    (house.folder / "requirements-dev.txt").touch()
    house.make(RUNTIME, DEVELOPMENT)
    assert house.did() == ["install requirements-dev.txt"]


def test_a_set_up_cut_short_starts_from_nothing(house: House) -> None:
    (house.folder / "broken").touch()
    assert house.make(RUNTIME).returncode != 0
    assert house.did() == ["build"]
    (house.folder / "broken").unlink()
    assert house.make(RUNTIME).returncode == 0
    assert house.did() == ["build", "install requirements.txt"]


def test_a_moved_folder_gets_an_environment_of_its_own(house: House) -> None:
    house.make(RUNTIME)
    house.folder = house.folder.rename(house.folder.with_name("moved"))
    house.make(RUNTIME)
    assert house.did() == ["build", "install requirements.txt"]


@pytest.mark.parametrize("python", ["false", "no-such-python"])
def test_an_interpreter_that_is_too_old_is_refused_in_one_sentence(house: House, python: str) -> None:
    refused = house.make(RUNTIME, python=python)
    assert refused.returncode != 0
    assert refused.stdout.startswith(f"Doorman needs Python 3.11 or newer, and {python} is not: say make PYTHON=")
    assert not (house.folder / ".venv").exists()
    assert house.did() == []


def test_cleaning_keeps_the_database_and_the_settings(house: House) -> None:
    house.make(RUNTIME)
    for name in ("doorman.db", ".env"):
        (house.folder / name).touch()
    (house.folder / "core" / "__pycache__").mkdir(parents=True)
    house.make("clean")
    assert sorted(path.name for path in house.folder.iterdir() if path.name.startswith((".env", ".venv", "doorman"))) == [
        ".env",
        "doorman.db",
    ]
    assert not (house.folder / "core" / "__pycache__").exists()
