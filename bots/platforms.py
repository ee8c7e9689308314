"""Which platforms are installed: each is a module named by the entry point group ``doorman.adapters``."""

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol

import typer
from pydantic import BaseModel

from core.clock import Clock
from core.credentials import Credentials
from core.ids import Ids, PlatformName
from core.platform import PlatformAdapter

GROUP = "doorman.adapters"


class Build(Protocol):
    """Makes an adapter; it connects only when it is started."""

    def __call__(self, settings: BaseModel, *, clock: Clock, ids: Ids, credentials: Credentials) -> PlatformAdapter: ...


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform that can be started. ``label`` is its name as people write it."""

    name: PlatformName
    label: str
    settings: type[BaseModel]
    build: Build
    cli: typer.Typer | None = None
    """Its own commands, for ``doorman NAME …``."""


def installed() -> dict[PlatformName, Platform]:
    """Return every installed platform by its name, in alphabetical order."""
    found = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        module = entry.load()
        found[module.name] = Platform(module.name, module.label, module.Settings, module.build, getattr(module, "cli", None))
    return found
