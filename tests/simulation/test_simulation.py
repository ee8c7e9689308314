"""Some of the histories `make simulate` plays, and that what it promises holds: it plays the same again, and it finds what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import mutants
from tests.simulation.history import Script, play, shrunk, undisturbed, written
from tests.simulation.search import hunted, some

ROOT = Path(__file__).parents[2]
QUICK, LONG = 6, 100
pytestmark = pytest.mark.timeout(300)


def test_after_made_up_histories_with_faults_everything_is_as_it_must_be() -> None:
    assert some(range(QUICK)).failed == {}


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("share", range(3))
def test_after_many_more_of_them_too(share: int) -> None:
    assert some(range(QUICK + share, LONG, 3)).failed == {}


def test_a_seed_plays_exactly_the_same_again() -> None:
    with undisturbed():
        script = next(script for script in map(written, range(100)) if any(trouble for _, trouble in script.acts))
        assert play(script) == play(script)


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_seed_plays_the_same_in_another_process_whatever_that_hashes_by() -> None:
    command = [sys.executable, "-m", "tests.simulation", "--seed", "5"]
    said = {
        subprocess.run(command, env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."}, cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S603
        for seed in ("1", "2")
    }
    assert len(said) == 1


@pytest.mark.long
@pytest.mark.parametrize("mutant", [mutants.never_ends_anything, mutants.ends_all_on_the_first_of_two])
def test_a_planted_bug_is_found(mutant: mutants.Mutant) -> None:
    found = hunted(mutant.__name__, range(60))
    assert found is not None
    assert found[1][0].startswith("access: ")


def test_a_failing_history_is_left_with_what_it_fails_by() -> None:
    script = Script(1, ((("buys", 0, "Gold", "good"), ("crash", 3)), (("waits", 1), None), (("leaves", 1), ("two workers",))))

    def fails(some_of_it: Script) -> bool:
        return any(act[0] == "waits" for act, _ in some_of_it.acts)

    assert shrunk(script, fails).acts == ((("waits", 1), None),)
