"""Why things are as they are: what set a change off, and the state a record of changes leads to. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.ids import CauseId, Ids

Subject = tuple[str, str]
"""What was changed: its kind and its id."""


class Origin(StrEnum):
    """What sets changes off without anything having come in. It begins the cause's id, so that the record says so for ever."""

    START = "start"
    SWEEP = "sweep"
    CATCH_UP = "catch-up"
    DRIFT = "drift"
    LOOK = "look"
    """A look at who is in what is sold."""
    RECONCILE = "reconcile"
    PAGE = "page"
    """Somebody at one of our pages."""
    OPERATOR = "operator"
    """The command line."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the record: what it was, what it became, what caused it, and what whoever was asked answered."""

    at: datetime
    cause: CauseId
    action: str
    subject: Subject
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    actor: str = ""
    answer: str = ""


@dataclass(slots=True)
class Chain:
    """Everything that followed from one cause, as it was written down."""

    cause: CauseId
    changes: list[Change] = field(default_factory=list)

    @property
    def at(self) -> datetime:
        """When the first of it was written."""
        return self.changes[0].at


def new_cause(ids: Ids, origin: Origin) -> CauseId:
    """Return the id of a new cause that says where it comes from."""
    return CauseId(f"{origin}:{ids.new()}")


def origin_of(cause: CauseId) -> Origin | None:
    """Return where a cause comes from; None when it came in from outside."""
    word = cause.partition(":")[0]
    return Origin(word) if word in set(Origin) else None


def chains(changes: Iterable[Change]) -> list[Chain]:
    """Group changes by their cause, in the order in which each cause was first heard of."""
    found: dict[CauseId, Chain] = {}
    for change in changes:
        found.setdefault(change.cause, Chain(change.cause)).changes.append(change)
    return list(found.values())


def replay(changes: Iterable[Change]) -> dict[Subject, dict[str, Any]]:
    """Return what each subject is after all of the changes, in the order they were written: each says only what it changed."""
    states: dict[Subject, dict[str, Any]] = {}
    for change in changes:
        states.setdefault(change.subject, {}).update(change.after)
    return states
