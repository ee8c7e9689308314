"""What a creator would set in the vendor's dashboard, and how fast the made-up banks are."""

from dataclasses import dataclass
from typing import Literal

HOUR = 3600
DAY = 24 * HOUR


@dataclass(slots=True)
class Policy:
    """Times in seconds."""

    retries: tuple[int, ...] = (3 * DAY, 5 * DAY, 7 * DAY)
    """How long after each failed attempt on a renewal the next one comes."""
    after_retries: Literal["canceled", "unpaid", "past_due"] = "canceled"
    """What becomes of a subscription when the last retry failed."""
    finalizes_after: int = HOUR
    """How long a renewal's invoice stays a draft."""
    incomplete_expires_after: int = 23 * HOUR
    debit_settles_after: int = 3 * DAY
    """How long a bank debit takes to succeed or fail."""
    refund_settles_after: int = 2 * DAY
    """How long a refund that is not instant takes to go through or fail."""
    disputed_after: int = HOUR
    """How long after a payment the bank of a card that is for that disputes it or warns."""
    funds_available_after: int = 2 * DAY
    fee_percent: float = 2.9
    fee_fixed: int = 30
    """Kept of each payment, in its currency's minor units."""
    trial_warning: int = 3 * DAY
    session_expires_after: int = 24 * HOUR
    portal_expires_after: int = HOUR
    idempotency_kept: int = DAY
    event_kept: int = 30 * DAY
