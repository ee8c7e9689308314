"""Many histories at once, on every processor there is; and for each planted bug, as many as it takes to find it."""

import gc
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context

import pytest

from tests.simulation.history import Outcome, Script, play, undisturbed, written
from tests.simulation.mutants import MUTANTS

STUMBLED = "stumbled: "
CHUNK = 10
"""Histories between two looks for garbage, and that a processor is given at a time."""


@dataclass(slots=True)
class Searched:
    """What came of many histories. ``failed`` names what was wrong by seed; ``met`` counts which trouble struck which step."""

    played: int = 0
    failed: dict[int, tuple[str, ...]] = field(default_factory=dict)
    met: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: "Searched") -> None:
        """Add what came of others."""
        self.played += other.played
        self.failed |= other.failed
        self.met += other.met


def judged(script: Script) -> Outcome:
    """Play a history; what it stumbles over is a finding like any other."""
    try:
        return play(script)
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed that leads there is worth knowing
        return Outcome((f"{STUMBLED}{type(error).__name__}: {error}",))


def some(seeds: range) -> Searched:
    """Play the histories of some seeds."""
    searched = Searched()
    with undisturbed():
        for seed in seeds:
            outcome = judged(written(seed))
            searched.played += 1
            searched.met += outcome.met
            if outcome.found:
                searched.failed[seed] = outcome.found
            if seed % CHUNK == 0:
                gc.collect()
    return searched


def many(seeds: range, jobs: int | None = None) -> Iterator[Searched]:
    """Play the histories of many seeds, and yield what came of each part as it is done."""
    parts = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(some, part) for part in parts]):
            yield done.result()


def hunted(name: str, seeds: range) -> tuple[int, tuple[str, ...]] | None:
    """Plant a bug, and return the first seed that finds it and what it found; None when none does.

    A history that fails without the bug too says nothing of it, and one that stumbles may do so over how the bug was planted.
    """
    play(written(0))  # the creator makes the plans before anything is wrong
    mutant = next(one for one in MUTANTS if one.__name__ == name)
    with undisturbed():
        for seed in seeds:
            with pytest.MonkeyPatch.context() as patch:
                mutant(patch)
                found = tuple(one for one in judged(written(seed)).found if not one.startswith(STUMBLED))
            if found and not judged(written(seed)).found:
                return seed, found
            if seed % CHUNK == 0:
                gc.collect()
    return None


def hunt(seeds: range, jobs: int | None = None) -> Iterator[tuple[str, tuple[int, tuple[str, ...]] | None]]:
    """Hunt every planted bug, each in a process, and yield which seed found it."""
    with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        hunts = {pool.submit(hunted, one.__name__, seeds): one.__name__ for one in MUTANTS}
        for done in as_completed(hunts):
            yield hunts[done], done.result()
