"""What must be told to somebody: messages of the outbox, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


class NoticeKind(StrEnum):
    """What is told. The first group goes to the member, the second to the creator."""

    WELCOME = "welcome"
    PAYMENT_FAILED = "payment_failed"
    ENDING = "ending"
    ENDED = "ended"
    RENEWED = "renewed"
    WAY_IN = "way_in"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    SEAT_FREE = "seat_free"
    GIFT = "gift"
    GIFT_TAKEN = "gift_taken"
    GIFT_BACK = "gift_back"
    COMP = "comp"
    PRICE_CHANGE = "price_change"
    MOVED = "moved"
    SUSPENDED = "suspended"
    RESTORED = "restored"
    PAYS_TWICE = "pays_twice"

    NEW_MEMBER = "new_member"
    APPLICATION = "application"
    TIP = "tip"
    RESOURCE_BROKEN = "resource_broken"
    SWEEP_STOPPED = "sweep_stopped"
    UNKNOWN_STATUS = "unknown_status"
    SPACE_LOST = "space_lost"
    HELLO = "hello"
    OWNER_TASK = "owner_task"
    INVITE_LINK_WORN = "invite_link_worn"
    UNINVITED = "uninvited"
    RECONCILED = "reconciled"
    UNDELIVERED = "undelivered"
    DISPUTE = "dispute"
    FRAUD_WARNING = "fraud_warning"
    DOUBLE = "double"


FOR_CREATOR = frozenset(
    {
        NoticeKind.NEW_MEMBER,
        NoticeKind.APPLICATION,
        NoticeKind.TIP,
        NoticeKind.RESOURCE_BROKEN,
        NoticeKind.SWEEP_STOPPED,
        NoticeKind.UNKNOWN_STATUS,
        NoticeKind.SPACE_LOST,
        NoticeKind.HELLO,
        NoticeKind.OWNER_TASK,
        NoticeKind.INVITE_LINK_WORN,
        NoticeKind.UNINVITED,
        NoticeKind.RECONCILED,
        NoticeKind.UNDELIVERED,
        NoticeKind.DISPUTE,
        NoticeKind.FRAUD_WARNING,
        NoticeKind.DOUBLE,
    }
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell. ``facts`` are plain JSON: names, amounts as text, times in ISO 8601, lists of ids."""

    kind: NoticeKind
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_payload(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read it back."""
        return cls(NoticeKind(payload["kind"]), payload["facts"])
