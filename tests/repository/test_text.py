"""What no tracked file may say. The words are put together here so that this file does not say them."""

import re

import pytest

REGISTRIES = (
    "py" + r"pi\.org",
    "python" + r"hosted\.org",
    "npm" + r"js\.(org|com)",
    r"(?<!no-emit)--(extra-)?index" + "-url",
    "--find" + "-links",
)
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
MACHINES = ("/wo" + "rk/", "/ro" + "ot/", "/opt/" + "py")


def lines_with(tracked: dict[str, str], pattern: str) -> list[str]:
    compiled = re.compile(pattern)
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in tracked.items()
        if compiled.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if compiled.search(line)
    ]


@pytest.mark.parametrize("host", REGISTRIES)
def test_no_file_names_a_package_registry(tracked: dict[str, str], host: str) -> None:
    assert not lines_with(tracked, host)


@pytest.mark.parametrize("word", UNFINISHED)
def test_nothing_is_left_for_later(tracked: dict[str, str], word: str) -> None:
    assert not lines_with(tracked, rf"\b{word}\b")


@pytest.mark.parametrize("folder", MACHINES)
def test_no_file_knows_the_machine_it_was_written_on(tracked: dict[str, str], folder: str) -> None:
    assert not lines_with(tracked, rf"(?<![\w.]){folder}")


def test_these_tests_read_the_whole_repository(tracked: dict[str, str]) -> None:
    assert {"pyproject.toml", "LICENSE", ".ci/run", "core/clock.py"} <= tracked.keys()
    assert lines_with({"some/file": "fine\nleft " + "TO" + "DO here"}, r"\bTO" + r"DO\b") == ["some/file:2: left " + "TO" + "DO here"]
