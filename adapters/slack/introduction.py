"""The workspace whose token the operator set: nobody installs the app there on a page of ours, so it is told of at each start."""

import logging
import random
from datetime import timedelta

from adapters.slack.client import Slack
from adapters.slack.installations import Installations
from adapters.slack.spaces import space_of
from core.clock import Clock, sleep
from core.errors import ExternalError, PermanentError
from core.ids import Ids, PlatformUserId
from core.platform import EventKind, Inbound, PlatformEvent, Space

log = logging.getLogger(__name__)

_FIRST, _LONGEST = 1.0, 300.0
"""Seconds."""


class Introduction:
    """Says that we are in that workspace, what it is called and whose it is."""

    def __init__(self, slack: Slack, installations: Installations, clock: Clock, ids: Ids) -> None:
        self._slack, self._installations, self._clock, self._ids = slack, installations, clock, ids
        self._chance = random.Random()  # noqa: S311 - spreads attempts, guards nothing

    async def make(self, inbound: Inbound) -> None:
        """Tell of it, again and again until that succeeds or never can."""
        failures = 0
        while True:
            try:
                await self._once(inbound)
            except PermanentError as error:
                log.error("the workspace of SLACK_BOT_TOKEN is not served: %s", error)  # noqa: TRY400 - the sentence says what to do
                return
            except ExternalError as error:
                failures += 1
                log.warning("the workspace of SLACK_BOT_TOKEN cannot be asked who it is: %s", error)
                most = min(_LONGEST, _FIRST * 2 ** min(failures, 10))
                await sleep(self._clock, timedelta(seconds=self._chance.uniform(most / 2, most)))
            else:
                return

    async def _once(self, inbound: Inbound) -> None:
        own = await self._installations.own()
        if own is None or not own.team:
            return
        space = space_of(own.team, own.enterprise)
        owner = await self._owner(space)
        if owner is not None:
            await inbound.on_event(PlatformEvent(self._ids.new(), EventKind.SPACE_ADDED, space, self._clock.now(), owner, own.name))

    async def _owner(self, space: Space) -> PlatformUserId | None:
        async for user in self._slack.pages(space, "users.list", "members"):
            if user.get("is_primary_owner"):
                return PlatformUserId(user["id"])
        return None
