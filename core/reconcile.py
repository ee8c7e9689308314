"""Desired minus actual: which grants must change. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.ids import AccountId, ResourceId

Key = tuple[AccountId, ResourceId]


@dataclass(frozen=True, slots=True)
class Change:
    """A grant whose ``wanted`` must become what is said here; ``new`` when there is no row yet."""

    account: AccountId
    resource: ResourceId
    wanted: bool
    new: bool


def changes(wanted: Iterable[Key], current: Mapping[Key, bool]) -> list[Change]:
    """Compare what should be held with the ``wanted`` of the rows; gains come before losses, so that nobody stands outside in between.

    A key with no row that is not wanted is no change: what we never gave is not ours to take.
    """
    target = frozenset(wanted)
    gains = [Change(*key, wanted=True, new=key not in current) for key in sorted(target) if not current.get(key, False)]
    losses = [Change(*key, wanted=False, new=False) for key in sorted(current) if current[key] and key not in target]
    return gains + losses
