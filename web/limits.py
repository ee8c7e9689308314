"""How fast one address may go: token buckets on the clock, in memory, and never more of them than we can afford."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from core.clock import Clock

CAPACITY = 60
PER_SECOND = 4.0
MOST = 10_000
_IPV6_PREFIX = 64


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime


class Buckets:
    """A bucket of ``capacity`` tokens per key, refilled at ``per_second``; the longest unused go when there are ``most``."""

    def __init__(self, clock: Clock, *, capacity: int = CAPACITY, per_second: float = PER_SECOND, most: int = MOST) -> None:
        self._clock = clock
        self._capacity = capacity
        self._per_second = per_second
        self._most = most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str) -> float:
        """Take a token: 0.0 when there was one, else the seconds until there is."""
        now = self._clock.now()
        bucket = self._buckets.setdefault(key, _Bucket(float(self._capacity), now))
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        earned = max(0.0, (now - bucket.at).total_seconds()) * self._per_second
        bucket.tokens, bucket.at = min(float(self._capacity), bucket.tokens + earned), now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._per_second
        bucket.tokens -= 1
        return 0.0


def visitor(request: web.Request) -> str | None:
    """Return whom to count the request for; None for the machine's own.

    Behind a proxy everyone has the proxy's address, and the last entry of X-Forwarded-For is the one the proxy itself wrote. A peer
    on the open internet writes what it likes there, so it counts for itself.
    """
    peer = _address(request.remote or "")
    if peer is None or not (peer.is_private or peer.is_loopback):
        return _key(peer)
    forwarded = _address(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip())
    if forwarded is not None:
        return _key(forwarded)
    return None if peer.is_loopback else _key(peer)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _key(address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> str:
    """One household, one key: an IPv6 customer holds a whole /64."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address)
