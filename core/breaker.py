"""When a flood of revocations is more likely a fault than the truth. Pure."""

from datetime import timedelta

FLOOR = 20
SHARE = 0.05
MAX_SKEW = timedelta(seconds=60)


def trips(would_revoke: int, held: int, skew: timedelta) -> str:
    """Return why a community's outside-caused revocations must wait for a person, in a sentence; empty when they may go on.

    ``would_revoke`` of the community's ``held`` grants would go; ``skew`` is our clock minus the processor's.
    """
    if abs(skew) > MAX_SKEW:
        seconds, side = int(abs(skew).total_seconds()), "ahead of" if skew > timedelta(0) else "behind"
        return f"This machine's clock is {seconds} seconds {side} the payment processor's. Set it right first."
    if would_revoke > max(FLOOR, SHARE * held):
        return f"{would_revoke} of {held} memberships would end at once, which looks more like a fault than the truth."
    return ""
