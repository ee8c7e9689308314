"""Brings a payer in: joins them with their own token, else makes a way in for one person, once."""

from collections.abc import Sequence
from json import dumps
from typing import Any

from adapters.discord.breaker import Breaker
from adapters.discord.errors import MISSING_ACCESS, MISSING_PERMISSIONS, UNAUTHORIZED, UNKNOWN_INVITE
from adapters.discord.guilds import Guilds
from adapters.discord.rest import Rest
from core.errors import ExternalError, InstallationRevoked, MemberUnreachable, PermanentError, PermissionMissing, ResourceMissing
from core.ids import PlatformUserId
from core.platform import AdmissionOutcome, Admitted, Resource

_WEEK = 7 * 24 * 3600
_ATTEMPTS = 3
_INVITE_IS_NO_HELP = frozenset({"40007", UNAUTHORIZED})
"""They are banned; our own token is refused. Whatever is wrong with the person's token, an invite is another way."""
_NO_WAY_IN = "The bot may not make invites in that server. Give its role the permission Create Invite in Server Settings, Roles."


class Doorway:
    """Joins and invites."""

    def __init__(self, rest: Rest, guilds: Guilds, breaker: Breaker, site: str) -> None:
        self._rest, self._guilds, self._breaker, self._site = rest, guilds, breaker, site

    async def admit(self, guild: str, user: PlatformUserId, token: str | None, resources: Sequence[Resource], reason: str) -> Admitted:
        """Join ``user`` when there is a token that works, else return an invite. Roles are granted afterwards, not here."""
        scope = (guild, "admission")
        self._breaker.check(scope)
        try:
            admitted = await self._admit(guild, user, token, resources, reason)
        except InstallationRevoked as error:
            self._breaker.refused(scope[:1], error)
            raise
        except PermissionMissing as error:
            self._breaker.refused(scope, error)
            raise
        self._breaker.succeeded(scope)
        return admitted

    async def withdraw(self, guild: str, invite_url: str, reason: str) -> None:
        """Delete the invite. Discord asks for more than making one: Manage Server, or Manage Channels where it leads."""
        self._breaker.check((guild,))
        try:
            await self._rest.call("DELETE", "/invites/{code}", code=invite_url.rpartition("/")[2], reason=reason)
        except PermanentError as error:
            if error.code != UNKNOWN_INVITE:
                raise

    async def _admit(self, guild: str, user: PlatformUserId, token: str | None, resources: Sequence[Resource], reason: str) -> Admitted:
        if token:
            outcome = await self._join(guild, user, token)
            if outcome is not None:
                return Admitted(outcome)
        elif await self._inside(guild, user):
            return Admitted(AdmissionOutcome.ALREADY_INSIDE)
        code, carries = await self._invite(guild, user, resources, reason)
        return Admitted(AdmissionOutcome.INVITED, f"{self._site}/invite/{code}", carries)

    async def _inside(self, guild: str, user: PlatformUserId) -> bool:
        try:
            await self._rest.call("GET", "/guilds/{guild_id}/members/{user_id}", guild_id=guild, user_id=user)
        except MemberUnreachable:
            return False
        return True

    async def _join(self, guild: str, user: PlatformUserId, token: str) -> AdmissionOutcome | None:
        """Return what came of it, None when an invite should be tried."""
        path = "/guilds/{guild_id}/members/{user_id}"
        try:
            member = await self._rest.call("PUT", path, guild_id=guild, user_id=user, json={"access_token": token})
        except PermanentError as error:
            if error.code == MISSING_PERMISSIONS:
                raise PermissionMissing(_NO_WAY_IN, code="missing_permission") from error
            if isinstance(error, InstallationRevoked) or error.code in _INVITE_IS_NO_HELP:
                raise
            return None
        return AdmissionOutcome.ADMITTED if member else AdmissionOutcome.ALREADY_INSIDE

    async def _invite(self, guild: str, user: PlatformUserId, resources: Sequence[Resource], reason: str) -> tuple[str, bool]:
        """Return the code of an invite for one person, and whether it is bound to ``user`` and carries the roles, as where the bot may."""
        bound = (await self._guilds.ranks(guild)).allowed.manage_guild
        refused: ExternalError = PermissionMissing(_NO_WAY_IN, code="missing_permission")
        for channel in (await self._guilds.entrances(guild))[:_ATTEMPTS]:
            try:
                if bound and (code := await self._bound_invite(channel, user, resources, reason)):
                    return code, True
                return str((await self._create(channel, reason, json=_terms()))["code"]), False
            except (PermissionMissing, ResourceMissing) as error:
                refused = error if error.code not in {MISSING_PERMISSIONS, MISSING_ACCESS} else refused
        raise refused

    async def _bound_invite(self, channel: str, user: PlatformUserId, resources: Sequence[Resource], reason: str) -> str | None:
        """Only ``user`` can accept it, so it may carry the roles; an invite for whoever comes first must not."""
        terms = _terms() | {"role_ids": [resource.external_id for resource in resources]}
        form = [
            {"name": "payload_json", "value": dumps(terms), "content_type": "application/json"},
            {"name": "target_users_file", "value": f"user_id\n{user}\n", "filename": "users.csv", "content_type": "text/csv"},
        ]
        try:
            return str((await self._create(channel, reason, form=form))["code"])
        except PermanentError:
            return None

    async def _create(self, channel: str, reason: str, **body: Any) -> Any:  # noqa: ANN401 - JSON
        return await self._rest.call("POST", "/channels/{channel_id}/invites", channel_id=channel, reason=reason, **body)


def _terms() -> dict[str, Any]:
    return {"max_uses": 1, "max_age": _WEEK, "unique": True}
