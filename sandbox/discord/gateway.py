"""The gateway's socket: every connection there is, and the ways they go wrong."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from sandbox.discord.connection import DISPATCH, INVALID_SESSION, RECONNECT, CloseError, Connection, frame_text
from sandbox.discord.world import World


class Gateway:
    """Every websocket, and the ways they go wrong."""

    def __init__(self, world: World, patience: float = 82.5) -> None:
        self._world = world
        self._patience = patience
        self._connections: set[Connection] = set()
        self.url = ""
        self.refusing = False
        """While True, connecting fails with 503: an outage."""

    @property
    def connected(self) -> int:
        """How many connections have a session."""
        return sum(1 for one in self._connections if one.session is not None)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket from HELLO to its end."""
        if self.refusing:
            return web.Response(status=503)
        socket = web.WebSocketResponse(max_msg_size=4096 * 4, compress=False)
        await socket.prepare(request)
        connection = Connection(self._world, socket, request.transport, self.url)
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(connection.write())
                try:
                    await connection.read(self._patience)
                except CloseError as closed:
                    await socket.close(code=closed.code, message=closed.reason.encode())
                except TimeoutError:
                    await socket.close(code=4009, message=b"Session timed out.")
                writer.cancel()
        finally:
            self._connections.discard(connection)
            connection.leave()
            self._world.changes.notify()
        return socket

    def garble(self) -> None:
        """Send everyone an event that a client cannot parse: a server without an id."""
        self._each(lambda one: one.say(frame_text(DISPATCH, {"unavailable": False}, "GUILD_CREATE")))

    def ask_to_reconnect(self) -> None:
        """Tell everyone to reconnect and resume."""
        self._each(lambda one: one.say(frame_text(RECONNECT, None)))

    def invalidate(self, *, resumable: bool = False) -> None:
        """Tell everyone that their session is over."""
        for one in list(self._connections):
            if one.session is not None and not resumable:
                self._world.hub.close(one.session.id)
            one.say(frame_text(INVALID_SESSION, data=resumable))

    async def close_all(self, code: int = 1012) -> None:
        """End every connection with a close frame."""
        for one in list(self._connections):
            await one.socket.close(code=code)

    def drop_all(self) -> None:
        """Cut every connection without a word."""
        for one in list(self._connections):
            if one.transport is not None:
                one.transport.abort()

    def _each(self, act: Callable[[Connection], None]) -> None:
        for one in list(self._connections):
            act(one)
