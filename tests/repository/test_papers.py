import hashlib
import re
from pathlib import Path

import pytest

APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""SHA-256 of the licence text as the Apache Software Foundation publishes it."""
DECISIONS = sorted((Path(__file__).parents[2] / "docs" / "adr").glob("*.md"))


def test_the_licence_is_the_standard_text(root: Path) -> None:
    assert hashlib.sha256((root / "LICENSE").read_bytes()).hexdigest() == APACHE_2


def test_the_decisions_are_numbered_without_gaps() -> None:
    assert len(DECISIONS) >= 6
    assert [path.name[:5] for path in DECISIONS] == [f"{number:04}-" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_complete(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 60
    assert text.startswith(f"# {int(path.name[:4])}. ")
    headings = re.findall(r"^## (\w+)$", text, re.MULTILINE)
    assert [heading for heading in headings if heading != "Measured"] == ["Context", "Decision", "Alternatives", "Consequences"]


@pytest.mark.parametrize("name", ["requirements.in", "requirements-dev.in"])
def test_every_direct_dependency_is_explained(root: Path, name: str) -> None:
    asked = [line.split("==")[0] for line in (root / name).read_text().splitlines() if line and not line.startswith("-r ")]
    explained = re.findall(r"^\| ([\w.-]+(?:\[\w+\])?) \| \S.+ \| \S.+ \|$", (root / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    assert asked
    assert not set(asked) - set(explained)


def test_no_dependency_is_explained_that_nobody_asks_for(root: Path) -> None:
    asked = {line.split("==")[0] for name in ("requirements.in", "requirements-dev.in") for line in (root / name).read_text().splitlines()}
    explained = re.findall(r"^\| ([\w.-]+(?:\[\w+\])?) \| \S", (root / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    assert not {name for name in explained if name != "package"} - asked


def test_the_changelog_has_a_place_for_the_next_change(root: Path) -> None:
    assert re.search(r"^## \[Unreleased\]$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
