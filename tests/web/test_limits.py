from datetime import timedelta

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clock import VirtualClock
from tests.web.site import Site, Visitor
from web.limits import Buckets, visitor

FROM_AFAR = {"X-Forwarded-For": "203.0.113.5"}


def test_a_bucket_gives_what_it_holds_and_says_how_long_the_next_takes() -> None:
    buckets = Buckets(VirtualClock(), capacity=2, per_second=0.5)
    assert [buckets.take("ann") for _ in range(3)] == [0.0, 0.0, 2.0]
    assert buckets.take("ben") == 0.0


def test_a_bucket_refills_with_time_and_never_beyond_its_size() -> None:
    clock = VirtualClock()
    buckets = Buckets(clock, capacity=2, per_second=1)
    buckets.take("ann")
    buckets.take("ann")
    clock.advance(timedelta(hours=1))
    assert [buckets.take("ann") for _ in range(3)] == [0.0, 0.0, 1.0]


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 5)), max_size=80))
def test_nobody_gets_more_than_the_capacity_and_what_time_brings(steps: list[tuple[int, float]]) -> None:
    clock = VirtualClock()
    buckets = Buckets(clock, capacity=5, per_second=2)
    given_out: dict[int, int] = {}
    elapsed = 0.0
    for who, pause in steps:
        clock.advance(timedelta(seconds=pause))
        elapsed += pause
        given_out[who] = given_out.get(who, 0) + (buckets.take(str(who)) == 0.0)
        assert given_out[who] <= 5 + 2 * elapsed + 1e-3


@given(st.lists(st.text(max_size=3), max_size=200))
def test_there_are_never_more_buckets_than_allowed(keys: list[str]) -> None:
    buckets = Buckets(VirtualClock(), most=10)
    for key in keys:
        buckets.take(key)
        assert len(buckets) <= 10


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        ("8.8.8.8", None, "8.8.8.8"),
        ("8.8.8.8", "198.51.100.1", "8.8.8.8"),
        ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "not an address", None),
        ("127.0.0.1", None, None),
        ("::1", None, None),
        ("10.0.0.2", None, "10.0.0.2"),
        ("::ffff:8.8.8.8", None, "8.8.8.8"),
        ("127.0.0.1", "2001:4860:1:2:aaaa::1", "2001:4860:1:2::/64"),
        ("2001:4860:1:2:bbbb::1", None, "2001:4860:1:2::/64"),
    ],
)
def test_a_request_counts_for_whoever_sent_it(peer: str, forwarded: str | None, who: str | None) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert visitor(make_mocked_request("GET", "/", headers=headers).clone(remote=peer)) == who


async def test_a_flood_is_slowed_down_with_the_seconds_to_wait(site: Site, fan: Visitor, clock: VirtualClock) -> None:
    answers = [await fan.get("/j/unknown", headers=FROM_AFAR) for _ in range(61)]
    assert [answer.status for answer in answers] == [404] * 60 + [429]
    assert "Wait a little" in answers[-1].text
    assert answers[-1].headers["Retry-After"] == "1"
    assert (await fan.get("/oauth/lodge/callback", headers=FROM_AFAR)).status == 429
    assert (await fan.get("/j/gold", headers={"X-Forwarded-For": "203.0.113.6"})).status == 200, "nobody else waits"
    clock.advance(timedelta(seconds=1))
    assert (await fan.get("/j/gold", headers=FROM_AFAR)).status == 200
    assert not site.checkouts.started


async def test_webhooks_and_health_are_not_slowed_down(fan: Visitor) -> None:
    for _ in range(70):
        assert (await fan.get("/healthz", headers=FROM_AFAR)).status == 200
    for _ in range(70):
        assert (await fan.request("POST", "/webhooks/stripe", data=b"{}", headers=FROM_AFAR)).status == 200
