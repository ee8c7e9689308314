"""What takes something off a price."""

from dataclasses import dataclass
from datetime import datetime

from core.money import Money


@dataclass(frozen=True, slots=True)
class Discount:
    """``percent`` or ``amount`` off: once (``months`` is None), for that many months, or always (0)."""

    percent: int | None
    amount: Money | None
    months: int | None
    products: tuple[str, ...] = ()
    """The processor's products it is for; every one when empty."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class CodeTerms:
    """How often and how long a code may be typed."""

    code: str
    max_uses: int | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion code as it is now."""

    external_id: str
    active: bool
    uses: int
