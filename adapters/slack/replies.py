"""Answers to stored commands: where it was asked while Slack lets us, else as a direct message; the home page by publishing it."""

from datetime import timedelta
from typing import Any

import aiohttp

from adapters.slack import render
from adapters.slack.client import Slack, Wire
from adapters.slack.errors import NETWORK_ERRORS
from adapters.slack.messages import Mail
from adapters.slack.spaces import NAME
from core.boundary import assert_outside_transaction
from core.clock import Clock
from core.commands import CommandReply, ReplyHandle
from core.errors import ExternalError, InstallationRevoked, TransientError
from core.platform import Person, Space

URL_LIFE = timedelta(minutes=30)
"""How long a response URL can be used, five times (https://docs.slack.dev/interactivity/handling-user-interaction#message_responses)."""
RESPONSE_URL, CHANNEL, WHO_SEES, SURFACE = "response_url", "channel", "who_sees", "surface"
PRIVATE, HOME = "the asker alone", "home"
_SERVER_ERROR, _REFUSED, _TOO_MANY = 500, 400, 429


class Answers:
    """Answers. Each way that is closed leads to the next; only trouble that passes is raised."""

    def __init__(self, wire: Wire, slack: Slack, mail: Mail, clock: Clock, command: str) -> None:
        self._wire, self._slack, self._mail, self._clock, self._command = wire, slack, mail, clock, command

    async def reply(self, handle: ReplyHandle, answer: CommandReply) -> None:
        space = Space(NAME, handle.realm, handle.space_external_id)
        if handle.data.get(SURFACE) == HOME:
            view = {"type": "home", "blocks": render.reply(answer, self._command)["blocks"]}
            await self._slack.call(space, "views.publish", user_id=handle.user, view=view)
            return
        body = render.reply(answer, self._command)
        if not (await self._respond(handle, body) or await self._whisper(space, handle, body)):
            await self._mail.send_reply(Person(space, handle.user), answer)

    async def say(self, url: str, text: str) -> None:
        """Tell whoever pressed or typed something a sentence of ours; one that cannot be told is left."""
        await self._post(url, {"response_type": "ephemeral", "replace_original": False, "text": render.escape(text)})

    async def _respond(self, handle: ReplyHandle, body: render.Body) -> bool:
        url = handle.data.get(RESPONSE_URL)
        if not url or handle.expires_at <= self._clock.now():
            return False
        seen_by = "ephemeral" if handle.data.get(WHO_SEES) == PRIVATE else "in_channel"
        return await self._post(url, {"response_type": seen_by, "replace_original": False, **body})

    async def _post(self, url: str, body: dict[str, Any]) -> bool:
        """Post to a response URL; False when it is over. The address is a secret, so it is in no error."""
        assert_outside_transaction("a call to Slack")
        try:
            async with self._wire.session.post(url, json=body) as response:
                status = response.status
        except (*NETWORK_ERRORS, aiohttp.InvalidURL) as error:
            raise TransientError(f"Slack could not be reached ({type(error).__name__}).", code=type(error).__name__) from None
        if status >= _SERVER_ERROR or status == _TOO_MANY:
            raise TransientError(f"Slack is in trouble (HTTP {status}).", code=str(status))
        return status < _REFUSED

    async def _whisper(self, space: Space, handle: ReplyHandle, body: render.Body) -> bool:
        """Answer in the channel to the asker alone; False where we are not in it, or may not, and when they may have gone meanwhile."""
        channel = handle.data.get(CHANNEL)
        if not channel or handle.data.get(WHO_SEES) != PRIVATE or handle.expires_at <= self._clock.now():
            return False
        try:
            await self._slack.call(space, "chat.postEphemeral", channel=channel, user=handle.user, **body)
        except (InstallationRevoked, TransientError):
            raise
        except ExternalError:
            return False
        return True
