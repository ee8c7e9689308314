"""Invites we made and that may still be out: taken back before they bring in somebody who has nothing to come for."""

import logging

from core.errors import PermanentError
from core.platform import PlatformAdapter, Withdrawal
from storage.grants import GrantTask

ENDED = "The membership it was for has ended, or has another invite"
_log = logging.getLogger(__name__)


async def withdrawn(adapter: PlatformAdapter, task: GrantTask) -> bool:
    """Take back what invite is out for a grant and return whether none is out now; what is worth another try raises ExternalError.

    Where it is refused for good the answer is False, and goes on as without: the invite runs out by itself, and whoever comes by it
    is seen to then.
    """
    if not task.grant.invite_url:
        return task.grant.invited_at is None
    if not isinstance(adapter, Withdrawal):
        return False
    try:
        await adapter.withdraw(task.space_row.space, task.grant.invite_url, reason=ENDED)
    except PermanentError as error:
        _log.info("the invite of grant %s stays out: %s", task.grant.id, error)
        return False
    return True
