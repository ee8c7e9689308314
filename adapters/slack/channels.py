"""Channels: who is given one, who loses it, and who is in it. One person at a time, and only whom we are told."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from adapters.slack.client import Answer, Slack
from adapters.slack.errors import UNSETTLED, of_word
from adapters.slack.standing import Standings
from core.clock import Clock
from core.errors import ExternalError, InstallationRevoked, PermissionMissing, Refusal, ResourceMissing, TransientError
from core.ids import PlatformUserId
from core.platform import Resource, ResourceKind, Space

FORBIDDEN = "restricted_action"
"""Slack's word when a setting of the workspace stands in the way."""
KINDS = "public_channel,private_channel"
_OPEN_TO_ALL = (
    "Anybody in the workspace can read {name} and come back into it, paid or not, so it can't be sold. Make it private: its name at the "
    "top, Settings, Change to a private channel. I stay in it; then pick it again. Or pick another one."
)
_REST = timedelta(minutes=50)
"""How long a refusal to remove people keeps a channel from being sold; less than the hour after which what is blocked is tried again."""


class Channels:
    """The channel calls of the app. Whether it may remove people only shows when it tries, so a refusal is remembered for a while."""

    def __init__(self, slack: Slack, standings: Standings, clock: Clock) -> None:
        self._slack, self._standings, self._clock = slack, standings, clock
        self._kept: dict[Resource, tuple[datetime, str]] = {}

    async def grant(self, channel: Resource, user: PlatformUserId) -> None:
        """Add ``user``; being in it already is fine."""
        try:
            await self._slack.call(channel.space, "conversations.invite", channel=channel.external_id, users=user)
        except TransientError as error:
            if error.code not in UNSETTLED or not await self._inside(channel, user):
                raise

    async def revoke(self, channel: Resource, user: PlatformUserId) -> None:
        """Remove ``user``; not being in it is fine, once that is certain."""
        try:
            answer = await self._slack.call(channel.space, "conversations.kick", granting=False, channel=channel.external_id, user=user)
        except TransientError as error:
            if error.code not in UNSETTLED or await self._inside(channel, user):
                raise
            return
        except PermissionMissing as error:
            if error.code != FORBIDDEN:
                raise
            told = await self._told(channel, error)
            self._kept[channel] = (self._clock.now() + _REST, str(told))
            raise told from error
        if answer.get("error"):
            await self._make_certain(channel)
        self._kept.pop(channel, None)

    async def _make_certain(self, channel: Resource) -> None:
        """``not_in_channel`` may be said of the person, which is fine, or of us, and then they may be in it still."""
        if not (await self._info(channel)).get("is_member"):
            raise PermissionMissing(str(of_word("not_in_channel")), code="not_in_channel")

    async def _told(self, channel: Resource, error: PermissionMissing) -> PermissionMissing:
        """Say what exactly Slack forbids, and where that is changed."""
        try:
            info = await self._info(channel)
        except ExternalError:
            return error
        kind = "private" if info.get("is_private") else "public"
        message = (
            f"Slack does not let the app remove people from #{info.get('name')}. A workspace owner changes that under Workspace settings, "
            f"Permissions, Channel management: let everyone remove members from {kind} channels. Until then, remove them by hand."
        )
        return PermissionMissing(message, code=error.code)

    def kept(self, space: Space) -> list[str]:
        """Return what Slack forbade lately in ``space``, a sentence each."""
        now = self._clock.now()
        self._kept = {channel: entry for channel, entry in self._kept.items() if now < entry[0]}
        return sorted({sentence for channel, (_, sentence) in self._kept.items() if channel.space == space})

    async def check(self, channel: Resource) -> None:
        """Raise Refusal when people cannot be added to, or removed from, this channel."""
        try:
            info = await self._info(channel)
        except ResourceMissing as error:
            message = "That channel does not exist, or I am not in it. Invite me there by writing /invite and my name, or pick another one."
            raise Refusal("channel_missing", message) from error
        except InstallationRevoked as error:
            raise Refusal("not_in_workspace", "I am not in that workspace any more. Add me to it again.") from error
        found = _refusal(info)
        if found is not None:
            raise found
        lacking = await self._standings.lacking(channel.space, "groups:write" if info.get("is_private") else "channels:manage")
        if lacking:
            raise Refusal("missing_scope", lacking[0])
        self.kept(channel.space)
        if channel in self._kept:
            raise Refusal(FORBIDDEN, self._kept[channel][1])

    async def holders(self, channel: Resource) -> AsyncIterator[PlatformUserId]:
        """Yield everyone in the channel but us."""
        ours = (await self._standings.of(channel.space)).user
        async for user in self._slack.pages(channel.space, "conversations.members", "members", channel=channel.external_id):
            if user != ours:
                yield PlatformUserId(user)

    async def of(self, space: Space, user: PlatformUserId) -> frozenset[Resource]:
        """Return the channels ``user`` is in, as far as we see them, but for the one that everybody is in."""
        listed = self._slack.pages(space, "users.conversations", "channels", user=user, types=KINDS)
        return frozenset([Resource(space, ResourceKind.CHANNEL, one["id"]) async for one in listed if not one.get("is_general")])

    async def listed(self, space: Space) -> list[tuple[Resource, str]]:
        """Return every channel we see, with its name, in alphabetical order."""
        found = self._slack.pages(space, "conversations.list", "channels", types=KINDS, exclude_archived=True)
        named = [(Resource(space, ResourceKind.CHANNEL, channel["id"]), str(channel["name"])) async for channel in found]
        return sorted(named, key=lambda pair: pair[1])

    async def _inside(self, channel: Resource, user: PlatformUserId) -> bool:
        return channel in await self.of(channel.space, user)

    async def _info(self, channel: Resource) -> Answer:
        answer: Answer = (await self._slack.call(channel.space, "conversations.info", channel=channel.external_id))["channel"]
        return answer


def _refusal(info: Answer) -> Refusal | None:
    name = f"#{info.get('name')}"
    if info.get("is_im") or info.get("is_mpim"):
        return Refusal("not_a_channel", "A conversation cannot be sold. Pick a channel.")
    if info.get("is_general"):
        return Refusal("general_channel", f"Everyone is in {name}, so it can't be sold. Make a channel for the plan and pick that.")
    if info.get("is_archived"):
        return Refusal("is_archived", f"{name} is archived. Unarchive it, or pick another channel.")
    return None if info.get("is_private") else Refusal("public_channel", _OPEN_TO_ALL.format(name=name))
