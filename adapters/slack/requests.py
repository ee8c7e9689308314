"""What somebody asked for, as the request the core stores. Their rights and names are asked of Slack, never read in the payload."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapters.slack.installations import Installations
from adapters.slack.people import People
from adapters.slack.spaces import NAME
from adapters.slack.usage import NotUnderstoodError
from adapters.slack.values import Value
from core.clock import Clock
from core.commands import Audience, CommandKind, CommandRequest, CommandSpec, Option, OptionKind, ReplyHandle
from core.errors import ExternalError
from core.ids import PlatformUserId
from core.platform import ResourceKind, ResourceLabel, Space

log = logging.getLogger(__name__)

_PATIENCE = 0.7
"""Real seconds for each question to Slack, of which there are at most four: all must be stored and acknowledged within three."""
NOT_NOW = "I could not ask Slack who you are just now, so nothing was done. Please try again in a minute."
List = Callable[[Space], Awaitable[Sequence[ResourceLabel]]]
"""Lists the channels and groups of a workspace."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, where, and how they can be answered. ``id`` is unique among all that is asked of us."""

    id: str
    space: Space
    user: PlatformUserId
    user_name: str
    data: Mapping[str, str] = field(repr=False)
    answer_until: datetime


class Requests:
    """Makes the requests. A question Slack does not answer in time costs a name, or, where rights decide, the request."""

    def __init__(self, installations: Installations, people: People, listed: List, clock: Clock) -> None:
        self._installations, self._people, self._listed, self._clock = installations, people, listed, clock

    async def made(self, asking: Asking, spec: CommandSpec, values: Mapping[str, Value]) -> CommandRequest:
        """Return the request to store. NotUnderstoodError when a name that was typed is nobody's, or rights cannot be told."""
        space, user = asking.space, asking.user
        name, can_manage = await self._who(asking, spec)
        found = {one.name: await self._found(space, one, values[one.name]) for one in spec.options if one.name in values}
        given = {**values, **found}
        return CommandRequest(
            id=asking.id,
            words=spec.words,
            options={option: value.value for option, value in given.items()},
            platform=NAME,
            realm=space.realm,
            space_external_id=space.external_id,
            space_name=await self._space_name(space),
            user=user,
            user_name=name,
            can_manage=can_manage,
            at=self._clock.now(),
            handle=ReplyHandle(NAME, asking.data, asking.answer_until, user, space.realm, space.external_id),
            labels={str(value.value): value.label for value in found.values() if value.label},
        )

    async def may_manage(self, asking: Asking) -> bool:
        """Return whether Slack says that the asker runs the workspace; NotUnderstoodError when it does not say."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return (await self._people.of(asking.space, asking.user)).can_manage
        except (ExternalError, TimeoutError) as error:
            log.warning("Slack did not say who may manage %s (%s)", asking.space.external_id, type(error).__name__)
            raise NotUnderstoodError(NOT_NOW) from error

    async def _who(self, asking: Asking, spec: CommandSpec) -> tuple[str, bool]:
        try:
            can_manage = await self.may_manage(asking)
        except NotUnderstoodError:
            if spec.audience is Audience.CREATOR and spec.kind is not CommandKind.HOME:
                raise
            return asking.user_name, False
        return (await self._people.of(asking.space, asking.user)).name, can_manage

    async def _space_name(self, space: Space) -> str:
        with suppress(ExternalError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                installed = await self._installations.find(space)
                return installed.name if installed is not None and installed.team else ""
        return ""

    async def _found(self, space: Space, option: Option, value: Value) -> Value:
        """Return ``value`` with what it is called, and with the id when only a name was typed."""
        if option.kind not in {OptionKind.USER, OptionKind.RESOURCE, OptionKind.CHANNEL} or (value.label and not value.sought):
            return value
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._looked_up(space, option, value)
        except (ExternalError, TimeoutError) as error:
            if not value.sought:
                return value
            raise NotUnderstoodError(f"I could not look up “{value.value}” just now. Pick it from the list Slack shows.") from error

    async def _looked_up(self, space: Space, option: Option, value: Value) -> Value:
        if option.kind is OptionKind.USER:
            return replace(value, label=(await self._people.of(space, PlatformUserId(str(value.value)))).name)
        wanted = str(value.value)
        for one in await self._listed(space):
            if option.kind is OptionKind.CHANNEL and one.resource.kind is not ResourceKind.CHANNEL:
                continue
            if wanted == one.resource.external_id or (value.sought and wanted.casefold() == one.name.casefold().lstrip("#@")):
                return Value(one.resource.external_id, one.name)
        if value.sought:
            raise NotUnderstoodError(f"There is no “{wanted[:80]}” that I can see. In a private channel, first write /invite and my name.")
        return value
