"""The user groups of a workspace, which Slack only gives all at once: one read for everybody who asks at about the same time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from adapters.slack.client import Slack
from adapters.slack.standing import Standings
from core.clock import Clock
from core.ids import PlatformUserId
from core.platform import Space

Users = frozenset[PlatformUserId]
NOBODY: Users = frozenset()
SHARED = timedelta(seconds=15)
"""How long a read serves those who only look. Slack allows twenty a minute (Tier 2): four for looking leave the others to changes. What
others change by hand is seen that much later, in a look that comes around every few minutes; what we change ourselves is seen at once."""


@dataclass(frozen=True, slots=True)
class Group:
    """A user group as Slack has it. ``listed`` are in it, or were when it was switched off; ``ours_off``: by us, and untouched since."""

    id: str
    name: str
    listed: Users
    off: bool
    ours_off: bool

    @property
    def users(self) -> Users:
        """Who has it now."""
        return NOBODY if self.off else self.listed


@dataclass(frozen=True, slots=True)
class _Read:
    began: datetime
    groups: Sequence[Group]


class GroupList:
    """Reads the list. ``changing`` before and after a write of ours: what was read before its end is not shown after it."""

    def __init__(self, slack: Slack, standings: Standings, clock: Clock) -> None:
        self._slack, self._standings, self._clock = slack, standings, clock
        self._reads: dict[Space, _Read] = {}
        self._changes: dict[Space, int] = {}
        self._turns: WeakValueDictionary[Space, asyncio.Lock] = WeakValueDictionary()

    async def shared(self, space: Space) -> Sequence[Group]:
        """Return the groups as they were less than ``SHARED`` ago, and since our own last change of one."""
        turn = self._turns.setdefault(space, asyncio.Lock())
        async with turn:
            read = self._reads.get(space)
            if read is not None and read.began <= self._clock.now() < read.began + SHARED:
                return read.groups
            return await self.fresh(space)

    async def fresh(self, space: Space) -> Sequence[Group]:
        """Return the groups as they are now."""
        began, changes = self._clock.now(), self._changes.get(space, 0)
        ours = (await self._standings.of(space)).user
        answer = await self._slack.call(space, "usergroups.list", include_users=True, include_disabled=True)
        groups = [_group(one, ours) for one in answer["usergroups"]]
        if changes == self._changes.get(space, 0):
            self._reads[space] = _Read(began, groups)
        return groups

    def changing(self, space: Space) -> None:
        """Forget what was read, and what is being read at this moment."""
        self._changes[space] = self._changes.get(space, 0) + 1
        self._reads.pop(space, None)


def _group(body: dict[str, Any], ours: str) -> Group:
    off = bool(body.get("date_delete"))
    users = frozenset(PlatformUserId(user) for user in body.get("users") or ())
    return Group(body["id"], str(body["name"]), users, off, off and body.get("deleted_by") == body.get("updated_by") == ours)
