"""Brings a payer in, as far as Slack lets an app: only an Enterprise organisation's own token can invite anybody to a workspace.

Everywhere else the link the creator gave us is the way in, and the grant follows when they have joined.
"""

from collections.abc import Sequence
from typing import Any

from adapters.slack.client import Answer, Wire, data_of
from adapters.slack.endings import Endings
from adapters.slack.errors import WAIT_FOR_USER
from adapters.slack.people import People
from adapters.slack.settings import Settings
from core.errors import InstallationRevoked, MemberUnreachable, PermanentError, PermissionMissing
from core.ids import PlatformUserId
from core.platform import AdmissionOutcome, Admitted, Resource, ResourceKind, Space

_DEACTIVATED = "user_disabled"
_INSIDE, _ON_THE_WAY = "already_in_team", "already_in_team_invited_user"
_NOT_ASKED = Admitted(AdmissionOutcome.INVITED)
"""There is no invite of ours: the creator's link is what there is."""
_ASKED = Admitted(AdmissionOutcome.INVITED, carries=True)
"""Slack wrote to them, and puts whoever accepts into the channels: what they come in with is ours to take again."""


class Doorway:
    """Looks whether somebody is inside, else invites them where that can be done."""

    def __init__(self, settings: Settings, wire: Wire, people: People, endings: Endings) -> None:
        self._wire, self._people, self._endings = wire, people, endings
        self._token = settings.admin_token.get_secret_value() if settings.admin_token else ""

    async def admit(self, space: Space, user: PlatformUserId, resources: Sequence[Resource]) -> Admitted:
        """Return how ``user`` gets in; MemberUnreachable when their account was deactivated by others: then no invite helps."""
        try:
            somebody = await self._people.fresh(space, user)
        except MemberUnreachable:
            return await self._invite(space, user, resources)
        if somebody.inside:
            return Admitted(AdmissionOutcome.ALREADY_INSIDE)
        if somebody.deactivated and await self._endings.undone(space, somebody):
            return Admitted(AdmissionOutcome.ADMITTED)
        if somebody.deactivated:
            raise MemberUnreachable(WAIT_FOR_USER[_DEACTIVATED], code=_DEACTIVATED)
        return await self._invite(space, user, resources)

    async def _invite(self, space: Space, user: PlatformUserId, resources: Sequence[Resource]) -> Admitted:
        """Ask them in by e-mail, straight into the channels they paid for, when they are of the same organisation."""
        channels = [resource.external_id for resource in resources if resource.kind is ResourceKind.CHANNEL]
        if not self._token or space.realm == space.external_id or not channels:
            return _NOT_ASKED
        try:
            known = (await self._call(space, "users.info", user=user))["user"]
            email = (known.get("profile") or {}).get("email")
            if not email:
                return _NOT_ASKED
            await self._call(space, "admin.users.invite", team_id=space.external_id, email=email, channel_ids=channels)
        except MemberUnreachable:
            return _NOT_ASKED
        except PermanentError as error:
            if error.code == _INSIDE:
                return Admitted(AdmissionOutcome.ALREADY_INSIDE)
            if error.code != _ON_THE_WAY:
                raise
        return _ASKED

    async def _call(self, space: Space, method: str, **args: Any) -> Answer:  # noqa: ANN401 - any argument
        try:
            response = await self._wire.call(self._token, space.realm, method, **args)
        except (InstallationRevoked, PermissionMissing) as error:
            message = (
                f"Slack refuses SLACK_ADMIN_TOKEN ({error.code}). Put an organisation owner's token with admin.users:write and "
                "users:read.email there, or leave it out."
            )
            raise PermanentError(message, code=error.code) from error
        return data_of(response)
