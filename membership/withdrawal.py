"""Invites we made and that may still be out: taken back before they bring in somebody who has nothing to come for."""

import logging

from core.errors import PermanentError
from core.platform import PlatformAdapter, Withdrawal
from membership.outcome import STAYS_OUT
from storage.grants import GrantTask

ENDED = "The membership it was for has ended, or has another invite"
_log = logging.getLogger(__name__)


async def left_out(adapter: PlatformAdapter, task: GrantTask) -> str:
    """Take back what invite is out for a grant and return why it stays out, empty when none does; ExternalError asks for another try."""
    grant = task.grant
    if not grant.invite_url or not isinstance(adapter, Withdrawal):
        return STAYS_OUT if grant.invited_at is not None else ""
    try:
        await adapter.withdraw(task.space_row.space, grant.invite_url, reason=ENDED)
    except PermanentError as error:
        _log.info("the invite of grant %s stays out: %s", grant.id, error)
        return str(error)
    return ""
