"""The two halves of an answer to an interaction: acknowledge within three seconds, say something within fifteen minutes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord

from adapters.discord.errors import REPLY_GONE
from adapters.discord.interactions import SAFETY, TOKEN_LIFE
from adapters.discord.render import EPHEMERAL, NO_MENTIONS, reply
from adapters.discord.tokenless import Tokenless
from core.clock import Clock
from core.commands import CommandReply, ReplyHandle
from core.errors import PermanentError, TransientError

_SAY, _DEFER = 4, 5
_SETTLING = 10.0
"""Seconds within which a reply that finds no interaction may only be faster than its acknowledgement."""
_PATIENCE = 3.0


class Answers:
    """Acknowledges and answers; an answer waits for an acknowledgement that is still on its way."""

    def __init__(self, tokenless: Tokenless, clock: Clock) -> None:
        self._tokenless, self._clock = tokenless, clock
        self._acknowledging: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def acknowledging(self, interaction: discord.Interaction) -> AsyncIterator[None]:
        """While this lasts, answers to ``interaction`` wait (a few seconds at most)."""
        done = self._acknowledging.setdefault(interaction.token, asyncio.Event())
        try:
            yield
        finally:
            done.set()
            self._acknowledging.pop(interaction.token, None)

    async def defer(self, interaction: discord.Interaction, *, private: bool) -> None:
        """Say that an answer will come; whether only the asker sees it is decided here."""
        await self._callback(interaction, {"type": _DEFER, "data": {"flags": EPHEMERAL if private else 0}})

    async def say(self, interaction: discord.Interaction, text: str) -> None:
        """Answer at once, to the asker alone. ``text`` is ours, not a user's."""
        data = {"content": text, "flags": EPHEMERAL, "allowed_mentions": NO_MENTIONS}
        await self._callback(interaction, {"type": _SAY, "data": data})

    async def _callback(self, interaction: discord.Interaction, body: dict[str, object]) -> None:
        await self._tokenless.call("POST", f"/interactions/{interaction.id}/{interaction.token}/callback", json=body)

    async def reply(self, handle: ReplyHandle, answer: CommandReply) -> bool:
        """Answer a stored command; returns False when its interaction can no longer be answered."""
        if handle.expires_at <= self._clock.now():
            return False
        application, token = handle.data["application"], handle.data["token"]
        await self._acknowledged(token)
        try:
            await self._tokenless.call("PATCH", f"/webhooks/{application}/{token}/messages/@original", json=reply(answer))
        except PermanentError as error:
            if error.code not in REPLY_GONE:
                raise
            if self._age(handle) < _SETTLING:
                raise TransientError("The command is not acknowledged yet.", code=error.code) from error
            return False
        return True

    async def _acknowledged(self, token: str) -> None:
        pending = self._acknowledging.get(token)
        if pending is not None:
            try:
                await asyncio.wait_for(pending.wait(), _PATIENCE)
            except TimeoutError:
                return

    def _age(self, handle: ReplyHandle) -> float:
        return (self._clock.now() - (handle.expires_at - TOKEN_LIFE + SAFETY)).total_seconds()
