"""docs/add-a-platform.md, taken apart."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "add-a-platform.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "tests" / "fixtures" / "veranda"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"`([^`\n]+)`")


def prose() -> str:
    """Return the page without its blocks."""
    return _FENCE.sub("", TEXT)


def quoted(text: str) -> list[str]:
    """Return what stands in backticks."""
    return _QUOTED.findall(text)


def blocks() -> list[tuple[str, str]]:
    """Return each block of code with the file named last before it."""
    return [(_named_before(block.start()), block[2]) for block in _FENCE.finditer(TEXT) if block[1] != "sh"]


def commands(program: str) -> list[list[str]]:
    """Return what the page says to type after ``program``, a list of words for each time."""
    typed = [line.split() for block in _FENCE.finditer(TEXT) if block[1] == "sh" for line in block[2].splitlines()]
    start = program.split()
    return [words[len(start) :] for words in typed if words[: len(start)] == start]


def place(name: str) -> Path:
    """Return where a file that the page names is: in the package, or else in the repository."""
    inside = PACKAGE / name
    return inside if inside.exists() else ROOT / name


def _named_before(position: int) -> str:
    return next(name for name in reversed(quoted(_FENCE.sub("", TEXT[:position]))) if Path(name).suffix)
