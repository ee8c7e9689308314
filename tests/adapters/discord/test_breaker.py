"""A server that refuses everything is left alone, and nothing else is."""

from datetime import timedelta

import pytest

from adapters.discord.breaker import LIMIT, REST, Breaker
from core.errors import PermissionMissing
from sandbox.clock import VirtualClock

SPACE, ROLE, OTHER_ROLE, OTHER_SPACE = ("1",), ("1", "7"), ("1", "8"), ("2", "9")
REFUSAL = PermissionMissing("Give it Manage Roles.", code="missing_permission")


def broken(breaker: Breaker, scope: tuple[str, ...], times: int = LIMIT) -> None:
    for _ in range(times):
        breaker.refused(scope, REFUSAL)


@pytest.fixture
def breaker(clock: VirtualClock) -> Breaker:
    return Breaker(clock)


def test_it_opens_after_refusals_in_a_row_and_repeats_the_last_one(breaker: Breaker) -> None:
    broken(breaker, ROLE, LIMIT - 1)
    breaker.check(ROLE)

    broken(breaker, ROLE, 1)

    with pytest.raises(PermissionMissing, match="Give it Manage Roles") as refusal:
        breaker.check(ROLE)
    assert refusal.value.code == "missing_permission"


def test_a_broken_role_leaves_the_other_roles_of_its_server_alone(breaker: Breaker) -> None:
    broken(breaker, ROLE)

    breaker.check(OTHER_ROLE)


def test_a_broken_server_stops_all_of_its_roles_and_no_other_server(breaker: Breaker) -> None:
    broken(breaker, SPACE)

    with pytest.raises(PermissionMissing):
        breaker.check(OTHER_ROLE)
    breaker.check(OTHER_SPACE)


def test_a_success_starts_the_count_anew(breaker: Breaker) -> None:
    broken(breaker, ROLE, LIMIT - 1)
    breaker.succeeded(ROLE)

    broken(breaker, ROLE, LIMIT - 1)

    breaker.check(ROLE)


def test_a_change_in_the_server_lets_calls_through_again(breaker: Breaker) -> None:
    broken(breaker, SPACE)
    broken(breaker, ROLE)

    breaker.heal("1")

    breaker.check(ROLE)


def test_after_an_hour_one_try_is_made_and_one_refusal_closes_it_again(breaker: Breaker, clock: VirtualClock) -> None:
    broken(breaker, ROLE)
    clock.advance(REST - timedelta(seconds=1))
    with pytest.raises(PermissionMissing):
        breaker.check(ROLE)

    clock.advance(timedelta(seconds=1))
    breaker.check(ROLE)
    broken(breaker, ROLE, 1)

    with pytest.raises(PermissionMissing):
        breaker.check(ROLE)
