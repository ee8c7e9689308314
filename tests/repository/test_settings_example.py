"""`.env.example` and the settings models say the same."""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from bots.platforms import installed
from bots.settings import Settings

ASSIGNMENT = re.compile(r"^(?:# ?)?([A-Z][A-Z0-9_]*)=")


def fields() -> Iterator[tuple[str, FieldInfo]]:
    for name, field in Settings.model_fields.items():
        yield name.upper(), field
    for platform in installed().values():
        for name, field in platform.settings.model_fields.items():
            yield f"{platform.name}_{name}".upper(), field


def explained(text: str) -> dict[str, str]:
    """Each setting's name, with the comment above it on one line."""
    names: dict[str, str] = {}
    comment: list[str] = []
    for line in text.splitlines():
        if assignment := ASSIGNMENT.match(line):
            assert assignment[1] not in names, f"{assignment[1]} stands there twice"
            names[assignment[1]] = " ".join(comment)
            comment = []
        elif line.startswith("#"):
            comment.append(line.lstrip("# ").strip())
        else:
            comment = []
    return names


def test_every_setting_and_nothing_else_is_in_the_example(root: Path) -> None:
    there = explained((root / ".env.example").read_text(encoding="utf-8"))
    assert sorted(there) == sorted(name for name, _ in fields())


def test_every_setting_in_the_example_has_its_own_description_above_it(root: Path) -> None:
    there = explained((root / ".env.example").read_text(encoding="utf-8"))
    for name, field in fields():
        assert field.description, f"{name} has no description"
        assert " ".join(field.description.split()) in there[name], name
