"""Roles: who may be given which, giving and taking them, and who has them. Only ever one role of one member at a time."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from adapters.discord.breaker import Breaker, Scope
from adapters.discord.errors import MISSING_ACCESS, MISSING_PERMISSIONS
from adapters.discord.guilds import Guilds
from adapters.discord.rest import Rest
from adapters.discord.roles import danger, refusal, told_apart
from core.errors import ExternalError, InstallationRevoked, MemberUnreachable, PermissionMissing, Refusal, ResourceMissing
from core.ids import PlatformName, PlatformUserId
from core.platform import Resource, ResourceKind, ResourceLabel, Space

_MEMBER = "/guilds/{guild_id}/members/{user_id}"
_MEMBER_ROLE = "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"
_PAGE = 1000
NO_LISTING = (
    "Listing who has a role needs the Server Members Intent. "
    "Switch it on in the Developer Portal under Bot and set DISCORD_MEMBERS_INTENT=true."
)


class Roles:
    """The role calls of one bot."""

    def __init__(self, platform: PlatformName, rest: Rest, guilds: Guilds, breaker: Breaker) -> None:
        self._platform, self._rest, self._guilds, self._breaker = platform, rest, guilds, breaker

    async def labels(self, space: Space) -> Sequence[ResourceLabel]:
        """Return every role but @everyone, the highest first."""
        ranks = await self._guilds.fresh_ranks(space.external_id)
        roles = sorted(ranks.roles.values(), key=lambda role: role.rank, reverse=True)
        return [ResourceLabel(self._resource(space, role.id), role.name) for role in roles if role.id != ranks.guild]

    async def check(self, resource: Resource) -> None:
        """Raise Refusal when ``resource`` cannot or must not be sold. Discord itself is asked: this is how a breaker is healed."""
        if resource.kind is not ResourceKind.ROLE:
            raise Refusal("not_a_role", "On Discord a plan opens roles. Pick a role, and give that role the channels.")
        guild = resource.space.external_id
        try:
            ranks = await self._guilds.fresh_ranks(guild)
        except InstallationRevoked as error:
            raise Refusal("not_in_server", "I am not in that server any more. Add me to it again.") from error
        reason = refusal(ranks, resource.external_id)
        if reason is not None:
            raise reason
        self._breaker.heal(guild)

    async def grant(self, resource: Resource, user: PlatformUserId, reason: str) -> None:
        """Give the role, unless it has become unsafe to give since it was put on sale."""
        self._breaker.check(_scope(resource))
        found = danger(await self._guilds.ranks(resource.space.external_id), resource.external_id)
        if found is not None:
            raise found
        await self._change("PUT", resource, user, reason)

    async def revoke(self, resource: Resource, user: PlatformUserId, reason: str) -> None:
        """Take the role, whatever it has become."""
        self._breaker.check(_scope(resource))
        await self._change("DELETE", resource, user, reason)

    async def _change(self, method: str, resource: Resource, user: PlatformUserId, reason: str) -> None:
        guild, scope = resource.space.external_id, _scope(resource)
        try:
            await self._rest.call(method, _MEMBER_ROLE, guild_id=guild, user_id=user, role_id=resource.external_id, reason=reason)
        except PermissionMissing as error:
            told = await self._told_apart(resource, error)
            self._breaker.refused(scope if told.code == "role_above_bot" else scope[:1], told)
            raise told from error
        except InstallationRevoked as error:
            self._breaker.refused(scope[:1], error)
            raise
        self._breaker.succeeded(scope)

    async def _told_apart(self, resource: Resource, error: PermissionMissing) -> PermissionMissing:
        if error.code != MISSING_PERMISSIONS:
            return error
        try:
            ranks = await self._guilds.fresh_ranks(resource.space.external_id)
        except ExternalError:
            return error
        return told_apart(ranks, resource.external_id) or error

    async def holds(self, space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        """Return the roles of ``user``, None when they are not in the server."""
        try:
            member = await self._rest.call("GET", _MEMBER, guild_id=space.external_id, user_id=user)
        except MemberUnreachable:
            return None
        return frozenset(self._resource(space, role) for role in member["roles"])

    async def holders(self, resource: Resource, *, allowed: bool) -> AsyncIterator[PlatformUserId]:
        """Yield everyone who has the role, in the order of their ids, a thousand members a call."""
        if not allowed:
            raise PermissionMissing(NO_LISTING, code="members_intent")
        guild, after = resource.space.external_id, "0"
        if resource.external_id not in (await self._guilds.ranks(guild)).roles:
            raise ResourceMissing("That role does not exist any more. Choose another one for the plan.", code="10011")
        while True:
            members = await self._page(guild, after)
            for member in members:
                if resource.external_id in member["roles"]:
                    yield PlatformUserId(member["user"]["id"])
            if len(members) < _PAGE:
                return
            after = members[-1]["user"]["id"]

    async def _page(self, guild: str, after: str) -> list[Any]:
        """Return a thousand members. Who is in the server but may not list it is told what one who is not in it is told."""
        query = {"limit": str(_PAGE), "after": after}
        try:
            return list(await self._rest.call("GET", "/guilds/{guild_id}/members", guild_id=guild, params=query))
        except InstallationRevoked as error:
            if error.code == MISSING_ACCESS:
                raise PermissionMissing(NO_LISTING, code="members_intent") from error
            raise

    def _resource(self, space: Space, role: str) -> Resource:
        return Resource(Space(self._platform, "", space.external_id), ResourceKind.ROLE, role)


def _scope(resource: Resource) -> Scope:
    return resource.space.external_id, resource.external_id
