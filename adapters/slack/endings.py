"""Accounts that we ended, and bring back when their people pay again. One that the workspace ended itself is not ours to bring back."""

from datetime import UTC, datetime, timedelta

from adapters.slack.people import People, Somebody
from adapters.slack.scim import Scim
from adapters.slack.spaces import NAME
from core.clock import Clock
from core.credentials import Credentials
from core.ids import PlatformUserId
from core.platform import Space

PURPOSE = "account_ended"
SLACK = timedelta(minutes=10)
"""How much later than our note Slack may say that the account was changed: the call's own time, and clocks that differ. What it says
was changed after that was ended once more, by somebody else."""


class Endings:
    """Ends accounts and undoes that. The note of each stands with the secrets, an adapter's one place; without it nothing is undone."""

    def __init__(self, scim: Scim, people: People, credentials: Credentials | None, clock: Clock) -> None:
        self._scim, self._people, self._credentials, self._clock = scim, people, credentials, clock

    async def allowed(self, space: Space, user: PlatformUserId) -> bool:
        """Return whether the account may be ended: never that of somebody who runs the workspace."""
        return self._scim.configured and not (await self._people.fresh(space, user)).can_manage

    async def end(self, space: Space, user: PlatformUserId) -> None:
        """End the account of ``user``. The note comes first: a crash between the two must not leave an ending nobody undoes."""
        if self._credentials is not None:
            await self._credentials.put(NAME, _subject(space, user), PURPOSE, self._clock.now().isoformat(), None)
        await self._scim.deactivate(user)

    async def undone(self, space: Space, somebody: Somebody) -> bool:
        """Bring a deactivated account back when it was we who ended it; returns whether it was."""
        if self._credentials is None or not self._scim.configured:
            return False
        note = await self._credentials.get(NAME, _subject(space, somebody.id), PURPOSE)
        if note is None or datetime.fromtimestamp(somebody.updated, UTC) > datetime.fromisoformat(note) + SLACK:
            return False
        await self._scim.activate(somebody.id)
        await self._credentials.forget(NAME, _subject(space, somebody.id), PURPOSE)
        return True


def _subject(space: Space, user: PlatformUserId) -> str:
    return f"{space.realm}:{user}"
