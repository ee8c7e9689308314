"""When a renewal has failed: what the member is told next, and when. Pure."""

from datetime import datetime

from core.dunning import next_notice
from core.events import Notice, NoticeKind
from core.money import Money
from storage.reminders import Failing, Reminder


def remind(failing: Failing, now: datetime) -> Reminder:
    """Return the reminder that is due: of several that were slept through the latest, and none once access is over."""
    if failing.until is None or failing.until <= now:
        return Reminder(failing, None, failing.sent, None)
    grace, number = failing.until - failing.since, failing.sent
    following = next_notice(failing.since, grace, number + 1)
    while following is not None and following <= now:
        number += 1
        following = next_notice(failing.since, grace, number + 1)
    last = following is None and number > 0
    facts = {"plan": failing.plan, "until": failing.until.isoformat(), "again": failing.sent > 0, "last": last, "pay_url": failing.pay_url,
             "amount": str(Money(failing.owed, failing.currency)) if failing.owed else ""}  # fmt: skip
    return Reminder(failing, Notice(NoticeKind.PAYMENT_FAILED, facts), number + 1, following)
