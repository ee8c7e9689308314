"""``--without-guards`` takes away what each test of a failure is about: each must then fail, and passes by failing."""

import re
from collections.abc import Iterator

import pytest

from tests.failures.guards import GUARDS
from tests.simulation import loop
from tests.simulation.town import found


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--without-guards", action="store_true", help="take away what each test of a failure is about: each must fail")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Expect each to fail by what it asserts once its guard is gone."""
    if item.config.getoption("--without-guards") and item.path.name != "test_guards.py":
        item.add_marker(pytest.mark.xfail(strict=True, raises=(AssertionError, pytest.fail.Exception)))


@pytest.fixture(autouse=True)
def guard(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take away what the test is about, when that is asked for; whatever it starts from is made before."""
    named = re.match(r"test_(\d+)_", request.path.name)
    loop.run(found, None)
    with pytest.MonkeyPatch.context() as patch:
        if named is not None and request.config.getoption("--without-guards"):
            GUARDS[int(named[1])](patch)
        yield
