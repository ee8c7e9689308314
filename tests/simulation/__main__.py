"""``make simulate``, ``simulate-mutants`` and ``crash-sweep``: what was played, how quickly, what struck what, how to see it again."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.history import Script, shrunk, undisturbed, written
from tests.simulation.mutants import MUTANTS
from tests.simulation.search import Searched, hunt, judged, many
from tests.simulation.sweep import sweep

WITHIN = 1000
"""How many histories may pass before a planted bug is found."""


def say(words: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def again(seed: int) -> str:
    """Return the command that plays a history again, exactly, and leaves out what it fails without."""
    return f"python -m tests.simulation --seed {seed}"


def simulate(seeds: range, jobs: int | None) -> int:
    """Play many histories and say what came of them."""
    began, whole, told = time.perf_counter(), Searched(), 0
    for part in many(seeds, jobs):
        whole.add(part)
        for seed, found in sorted(part.failed.items()):
            say(f"seed {seed}: {'; '.join(found)}\n    {again(seed)}")
        if whole.played >= told + 1000:
            told = whole.played
            say(f"{told} of {len(seeds)} histories, {told / (time.perf_counter() - began):.1f} a second")
    took = time.perf_counter() - began
    coverage(whole.met)
    say(f"{whole.played} histories in {took:.0f} s, {whole.played / took:.1f} a second: {len(whole.failed)} failed")
    return 1 if whole.failed else 0


def coverage(met: Counter[tuple[str, str]]) -> None:
    """Print how often each trouble struck each step."""
    for trouble in sorted({trouble for trouble, _ in met}):
        steps = sorted(((step, number) for (one, step), number in met.items() if one == trouble), key=lambda pair: -pair[1])
        say(f"{trouble}: {len(steps)} steps, {sum(number for _, number in steps)} times")
        say("    " + ", ".join(f"{step} {number}" for step, number in steps[:12]) + (", …" if len(steps) > 12 else ""))
    say(f"{len(met)} pairs of a trouble and a step")


def replay(seed: int) -> int:
    """Play one history again, and when it fails, what is left of it once all is left out that it fails without."""
    script = written(seed)
    with undisturbed():
        outcome = judged(script)
        if outcome.found:
            script = shrunk(script, lambda fewer: bool(judged(fewer).found))
            outcome = judged(script)
    tell(script)
    say("\n".join(outcome.trace))
    say("; ".join(outcome.found) or "nothing was wrong")
    return 1 if outcome.found else 0


def tell(script: Script) -> None:
    """Print a history as it may be written into a test."""
    for act, trouble in script.acts:
        say(f"    {act!r}, {trouble!r}")


def mutants(seeds: range, jobs: int | None) -> int:
    """Hunt every planted bug and say which history found it."""
    missed = 0
    for name, seen in hunt(seeds, jobs):
        missed += seen is None
        say(f"{name}: " + (f"seed {seen[0]}, {seen[1][0]}" if seen else f"NOT FOUND in {len(seeds)} histories"))
    say(f"{len(MUTANTS) - missed} of {len(MUTANTS)} planted bugs found, each within {len(seeds)} histories")
    return 1 if missed else 0


def crash_sweep(jobs: int | None) -> int:
    """End the process at every moment of every scenario and say how many there were."""
    began, moments, wrong = time.perf_counter(), Counter[str](), list[str]()
    for name, number, found in sweep(jobs):
        moments[name] += number
        wrong += found
        for one in found:
            say(one)
    for name, number in moments.items():
        say(f"{name.replace('_', ' ')}: {number} moments")
    say(f"{moments.total()} moments in {time.perf_counter() - began:.0f} s: {len(wrong)} ended otherwise")
    return 1 if wrong else 0


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many histories to play")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, help="on how many processors; all of them unless said")
    parser.add_argument("--seed", type=int, help="play this one again, and shrink it when it fails")
    parser.add_argument("--mutants", action="store_true", help="plant bugs and have them found")
    parser.add_argument("--crash-sweep", action="store_true", help="end the process at every moment of what the demo shows")
    given = parser.parse_args()
    if given.seed is not None:
        return replay(given.seed)
    if given.crash_sweep:
        return crash_sweep(given.jobs)
    if given.mutants:
        return mutants(range(given.first, given.first + WITHIN), given.jobs)
    return simulate(range(given.first, given.first + given.seeds), given.jobs)


if __name__ == "__main__":
    sys.exit(main())
