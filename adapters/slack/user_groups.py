"""User groups: one read, one write and one look back for everything that changes in one.

Slack replaces a group's whole list at once, takes no empty list, and remembers who was in a group that is switched off. So the last to go
switch it off, and whoever comes to one that we switched off comes to an empty one. Who was put in by others stays in.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from weakref import WeakValueDictionary

from adapters.slack.client import Slack
from adapters.slack.fitness import unfit
from adapters.slack.group_list import NOBODY, Group, GroupList, Users
from adapters.slack.people import People
from adapters.slack.standing import Standings
from core.clock import Clock
from core.errors import ExternalError, InstallationRevoked, PermissionMissing, RateLimited, Refusal, ResourceMissing, TransientError
from core.ids import PlatformUserId
from core.platform import Resource, ResourceKind, Space

Outcomes = dict[PlatformUserId, ExternalError | None]
_SOME_REFUSED = frozenset({"failed_for_some_users", "invalid_users", "single_channel_guests_cannot_be_added", "user_not_found"})
_NO_ROOM = "subteam_max_users_exceeded"
_GONE = "That user group does not exist any more. Choose another one for the plan."
_OFF = "That user group is switched off. Whoever manages user groups must switch it on again."


class UserGroups:
    """The user group calls of the app."""

    def __init__(self, slack: Slack, standings: Standings, people: People, clock: Clock) -> None:
        self._slack, self._standings, self._people = slack, standings, people
        self._list = GroupList(slack, standings, clock)
        self._turns: WeakValueDictionary[Resource, asyncio.Lock] = WeakValueDictionary()

    async def apply(self, resource: Resource, grants: Users, revokes: Users) -> Mapping[PlatformUserId, ExternalError | None]:
        """Carry out all changes; see core.platform.BatchGrants. One at a time for each group, as each write replaces the last."""
        turn = self._turns.setdefault(resource, asyncio.Lock())
        async with turn:
            group = await self._read(resource)
            if group.off and not group.ours_off and group.listed:
                return await self._apply_to_one_off(resource, group, grants, revokes)
            base = NOBODY if group.off else group.listed
            return await self._write(resource, group, base, grants, revokes - grants)

    async def _apply_to_one_off(self, resource: Resource, group: Group, grants: Users, revokes: Users) -> Outcomes:
        """Somebody switched it off with people in it. It is theirs to switch on, and will come back without those who must go."""
        left = group.listed - revokes
        if left and left != group.listed:
            await self._update(resource, left)
        return dict.fromkeys(revokes, None) | {user: PermissionMissing(_OFF, code="user_group_off") for user in grants}

    async def _write(self, resource: Resource, group: Group, base: Users, grants: Users, revokes: Users) -> Outcomes:
        refused: Outcomes = {}
        trouble: ExternalError | None = None
        try:
            await self._set(resource, group, base, (base | grants) - revokes)
        except RateLimited:
            raise
        except TransientError as error:
            trouble = error
        except ExternalError as error:
            refused = await self._refused(resource, error, grants - base)
            await self._set(resource, group, base, (base | (grants - refused.keys())) - revokes)
        if trouble is None and base == (base | grants) - revokes and not group.off:
            return dict.fromkeys(grants | revokes, None)
        return await self._compare(resource, grants, revokes, refused, trouble)

    async def _set(self, resource: Resource, group: Group, before: Users, after: Users) -> None:
        """Make the list ``after``: nothing to do, switched off, or replaced and switched on."""
        if after == before and not (group.off and after):
            return
        if not after:
            await self._switch("usergroups.disable", resource, "already_disabled")
            return
        await self._update(resource, after)
        if group.off:
            await self._switch("usergroups.enable", resource, "already_enabled")

    async def _update(self, resource: Resource, users: Users) -> None:
        await self._change(resource, "usergroups.users.update", users=sorted(users))

    async def _change(self, resource: Resource, method: str, **args: Any) -> None:  # noqa: ANN401 - any argument
        """Write. Whatever becomes of it, what was read before is not how it is."""
        self._list.changing(resource.space)
        try:
            await self._slack.call(resource.space, method, usergroup=resource.external_id, **args)
        finally:
            self._list.changing(resource.space)

    async def _switch(self, method: str, resource: Resource, already: str) -> None:
        try:
            await self._change(resource, method)
        except ExternalError as error:
            if error.code != already:
                raise

    async def _refused(self, resource: Resource, error: ExternalError, newcomers: Users) -> Outcomes:
        """Return whom the group does not take, so that the rest can be done without them; raises ``error`` when it is not about people."""
        if error.code == _NO_ROOM and newcomers:
            return dict.fromkeys(newcomers, error)
        if error.code not in _SOME_REFUSED or not newcomers:
            raise error
        found = await unfit(self._slack, self._people, resource.space, newcomers)
        if not found:
            raise error
        return found

    async def _compare(
        self, resource: Resource, grants: Users, revokes: Users, refused: Outcomes, trouble: ExternalError | None
    ) -> Outcomes:
        """Read back what became of it: Slack's list decides, not what we sent."""
        users = (await self._read(resource)).users
        missed = trouble or TransientError("The user group was changed by somebody else at the same moment.", code="lost_update")
        wrong = (grants - users) | (revokes & users)
        return {user: refused.get(user, missed) if user in wrong else None for user in grants | revokes}

    async def check(self, resource: Resource) -> None:
        """Raise Refusal when the group cannot be sold."""
        try:
            group = await self._read(resource)
        except ResourceMissing as error:
            raise Refusal("user_group_missing", "That user group does not exist any more. Pick another one.") from error
        except InstallationRevoked as error:
            raise Refusal("not_in_workspace", "I am not in that workspace any more. Add me to it again.") from error
        if group.off and not group.ours_off and group.listed:
            raise Refusal("user_group_off", f"“{group.name}” is switched off. Switch it on, or pick another one.")
        lacking = await self._standings.lacking(resource.space, "usergroups:write")
        if lacking:
            raise Refusal("missing_scope", lacking[0])

    async def holders(self, resource: Resource) -> AsyncIterator[PlatformUserId]:
        """Yield everyone in the group."""
        for user in sorted((await self._read(resource)).users):
            yield user

    async def of(self, space: Space, user: PlatformUserId) -> frozenset[Resource]:
        """Return the groups ``user`` is in."""
        return frozenset(_resource(space, group) for group in await self._list.shared(space) if user in group.users)

    async def listed(self, space: Space) -> list[tuple[Resource, str]]:
        """Return every group with its name."""
        return sorted(((_resource(space, group), group.name) for group in await self._list.fresh(space)), key=lambda pair: pair[1])

    async def _read(self, resource: Resource) -> Group:
        for group in await self._list.fresh(resource.space):
            if group.id == resource.external_id:
                return group
        raise ResourceMissing(_GONE, code="no_such_subteam")


def _resource(space: Space, group: Group) -> Resource:
    return Resource(space, ResourceKind.USER_GROUP, group.id)
