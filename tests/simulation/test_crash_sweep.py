"""A sample of what `make crash-sweep` does everywhere: cut at some moments, every scenario ends as it does uncut."""

import pytest

from tests.simulation.sweep import SCENARIOS, swept

pytestmark = pytest.mark.timeout(300)
NAMES = [one.__name__ for one in SCENARIOS]


@pytest.mark.parametrize("name", ["stranger_is_inside", pytest.param("one_of_two_ends", marks=pytest.mark.long)])
def test_cut_at_some_moments_what_the_demo_shows_ends_the_same(name: str) -> None:
    cut, wrong = swept(name, share=17, of=50)
    assert wrong == []
    assert cut >= 1


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_cut_at_a_seventh_of_the_moments_every_scenario_ends_the_same(name: str) -> None:
    cut, wrong = swept(name, share=3, of=7)
    assert wrong == []
    assert cut >= 3
