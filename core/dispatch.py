"""Lanes and the port that wakes them. Truth is in rows; a wake-up is only a hint, and a lost one is made up by the next tick."""

import zlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NewType, Protocol

from core.ids import MemberId, PlatformName, StripeAccountId

Lane = NewType("Lane", str)
WORK_LANES = 16
"""How many lanes members' work is spread over."""

Drain = Callable[[Lane, int], Awaitable[datetime | None]]
"""Carry out what is due on a lane, under the given epoch; return when the next row falls due, None when there is none.

Fails with storage.lanes.Fenced once another owner has taken the lane over."""


def stripe_lane(account: StripeAccountId) -> Lane:
    """Return the lane of a Stripe account's inbox rows."""
    return Lane(f"stripe:{account}")


def work_lane(member: MemberId) -> Lane:
    """Return the lane of a member's work: reconcile and notices. Stable across processes."""
    return Lane(f"work:{zlib.crc32(member.encode()) % WORK_LANES:02d}")


def inbound_lane(*words: str) -> Lane:
    """Return the lane of what one person asks or one space tells, in order; apart from members' work, for a command may take long."""
    return Lane(f"inbound:{zlib.crc32(':'.join(words).encode()) % WORK_LANES:02d}")


def platform_lane(platform: PlatformName, realm: str) -> Lane:
    """Return the lane of a platform's calls: one per token or workspace."""
    return Lane(f"{platform}:{realm or 'main'}")


class Dispatcher(Protocol):
    """Brings lanes and their drains together; one owner per lane at a time."""

    def wake(self, lane: Lane) -> None:
        """Have ``lane`` drained soon. Never blocks, never fails; waking twice drains at least once more."""
        ...
