"""`.env.example` and the settings models say the same."""

import re
from collections.abc import Iterator
from pathlib import Path

import typer
from pydantic.fields import FieldInfo

from bots.__main__ import app
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


def test_what_a_command_alone_reads_is_said_but_not_offered_as_a_setting(root: Path) -> None:
    text = (root / ".env.example").read_text(encoding="utf-8")
    found = {
        (command.name, param.envvar, param.opts[0])
        for command in typer.main.get_group(app).commands.values()
        for param in command.params
        if param.envvar
    }
    assert found == {("demo", "SANDBOX_RECORD", "--record"), ("sandbox", "SANDBOX_RECORD", "--record")}
    for command, name, option in found:
        assert name not in explained(text)
        assert all(word in text for word in (f"doorman {command}", f"{name}=FILE", option))
