"""The guide is true: what it names is there, what it shows is the package's own, what it says to type works."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bots.platforms import Platform
from core import platform as port
from tests.adapters.thirdparty import guide

BLOCKS = guide.blocks()
FILES = [name for name in guide.quoted(guide.prose()) if re.fullmatch(r"[\w./-]+(/|\.py|\.toml)", name)]
POWERS = [name for row in re.findall(r"^\| (`.+?) \|", guide.TEXT, re.MULTILINE) for name in guide.quoted(row)]


def pieces(block: str) -> Iterator[str]:
    """What stands between the lines of dots."""
    yield from (piece.strip("\n") for piece in re.split(r"^\.\.\.$", block, flags=re.MULTILINE))


def test_the_guide_has_five_steps() -> None:
    assert re.findall(r"^## (\d)\. ", guide.TEXT, re.MULTILINE) == list("12345")
    assert len(guide.TEXT.splitlines()) < 130


@pytest.mark.parametrize("name", FILES)
def test_every_file_it_names_is_there(name: str) -> None:
    assert guide.place(name).exists()


def test_only_the_module_of_one_power_is_left_for_the_reader_to_find() -> None:
    modules = {f"doorman_veranda/{path.name}" for path in (guide.PACKAGE / "doorman_veranda").glob("*.py")}
    assert modules - set(FILES) == {"doorman_veranda/admission.py"}


@pytest.mark.parametrize(("name", "block"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_every_block_is_the_files_own_lines_in_their_order(name: str, block: str) -> None:
    rest = "\n" + guide.place(name).read_text(encoding="utf-8")
    for piece in pieces(block):
        assert f"\n{piece}\n" in rest, piece
        rest = rest.partition(f"\n{piece}\n")[2]


def test_every_power_it_lists_is_one_and_none_is_left_out() -> None:
    protocols = {name for name, value in vars(port).items() if getattr(value, "_is_runtime_protocol", False)}
    assert set(POWERS) == protocols


def test_the_module_has_what_it_says_a_module_has(veranda: Platform) -> None:
    said = guide.quoted(guide.prose().partition("The module that the entry point names has ")[2].partition(".")[0])
    assert said == ["name", "label", "Settings", "build", "cli"]
    assert veranda.cli is not None


def test_what_it_says_to_type_works(doorman: Callable[..., str]) -> None:
    typed = guide.commands("doorman")
    assert typed
    for words in typed:
        assert doorman(*words)


def test_the_tests_it_says_to_run_are_these() -> None:
    assert [guide.ROOT / path for (path,) in guide.commands(".venv/bin/python -m pytest")] == [Path(__file__).parent]
