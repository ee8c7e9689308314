"""Messages to people and channels."""

from typing import Any

from adapters.discord import render
from adapters.discord.breaker import Breaker
from adapters.discord.rest import Rest
from core.commands import CommandReply
from core.errors import InstallationRevoked, PermissionMissing
from core.ids import PlatformUserId
from core.platform import Channel, Destination, Message, MessageRef, Person

Body = dict[str, Any]
_REMEMBERED = 10_000


class Mail:
    """Sends and edits. A reference holds ``channel/message``: a direct message has a channel of its own too."""

    def __init__(self, rest: Rest, breaker: Breaker) -> None:
        self._rest, self._breaker = rest, breaker
        self._opened: dict[PlatformUserId, str] = {}

    async def send(self, to: Destination, message: Message) -> MessageRef:
        return MessageRef(to, await self._deliver(to, render.message(message)))

    async def send_reply(self, to: Person, reply: CommandReply) -> None:
        """Say by direct message what could not be answered where it was asked."""
        await self._deliver(to, render.reply(reply))

    async def _deliver(self, to: Destination, body: Body) -> str:
        match to:
            case Person():
                return await self._post(await self._direct(to.user), body)
            case Channel():
                return await self._post_in_space(to, body)

    async def edit(self, ref: MessageRef, message: Message) -> None:
        channel, _, id_ = ref.external_id.partition("/")
        path = "/channels/{channel_id}/messages/{message_id}"
        await self._rest.call("PATCH", path, channel_id=channel, message_id=id_, json=render.message(message))

    async def name(self, user: PlatformUserId) -> str:
        """Return the name ``user`` goes by."""
        known = await self._rest.call("GET", "/users/{user_id}", user_id=user)
        return str(known.get("global_name") or known["username"])

    async def _direct(self, user: PlatformUserId) -> str:
        """Return the channel to write to ``user`` in; opening many is what Discord takes for spam, so they are remembered."""
        if user not in self._opened:
            opened = await self._rest.call("POST", "/users/@me/channels", json={"recipient_id": user})
            while len(self._opened) >= _REMEMBERED:
                del self._opened[next(iter(self._opened))]
            self._opened[user] = str(opened["id"])
        return self._opened[user]

    async def _post(self, channel: str, body: Body) -> str:
        sent = await self._rest.call("POST", "/channels/{channel_id}/messages", channel_id=channel, json=body)
        return f"{channel}/{sent['id']}"

    async def _post_in_space(self, to: Channel, body: Body) -> str:
        """A channel closed to us stays closed for a while: do not knock for each message."""
        scope = (to.space.external_id, to.external_id)
        self._breaker.check(scope)
        try:
            sent = await self._post(to.external_id, body)
        except InstallationRevoked as error:
            self._breaker.refused(scope[:1], error)
            raise
        except PermissionMissing as error:
            told = PermissionMissing(
                "The bot may not write in that channel. Give it View Channel and Send Messages there.", code=error.code
            )
            self._breaker.refused(scope, told)
            raise told from error
        self._breaker.succeeded(scope)
        return sent
