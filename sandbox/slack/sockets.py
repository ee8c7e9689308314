"""Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode."""

import asyncio
import json
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from sandbox.slack.errors import Payload
from sandbox.slack.requests import PATIENCE, Outcome
from sandbox.slack.world import Outbound, World

MOST = 10
_REPLIES = frozenset({"slash_commands", "interactive"})


@dataclass(eq=False, slots=True)
class Link:
    """One websocket of the app, and the envelopes on it that were not acknowledged yet."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None = None
    pending: dict[str, asyncio.Future[Outcome]] = field(default_factory=dict)
    leaving: bool = False


class Sockets:
    """Every websocket of the app; what is sent takes them in turn."""

    def __init__(self, world: World, patience: float = PATIENCE) -> None:
        self._world = world
        self.patience = patience
        self._links: list[Link] = []
        self.refusing = False
        """While True, connecting fails with 503: an outage."""

    @property
    def connected(self) -> int:
        """How many connections there are."""
        return len(self._links)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket from hello to its end."""
        ticket = request.query.get("ticket", "")
        if self.refusing:
            return web.Response(status=503)
        if ticket not in self._world.tickets:
            return web.Response(status=401, text="invalid ticket")
        self._world.tickets.discard(ticket)
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        if not self._world.app.socket_mode or self.connected >= MOST:
            reason = "too_many_websockets" if self._world.app.socket_mode else "link_disabled"
            await socket.send_json(_goodbye(reason))
            await socket.close()
            return socket
        link = Link(socket, request.transport)
        self._links.append(link)
        try:
            await socket.send_json(self._hello())
            self._world.changes.notify()
            await self._read(link)
        finally:
            self._forget(link)
        return socket

    async def send(self, what: Outbound, attempt: int = 0, reason: str = "") -> Outcome:
        """Send on the next connection and wait for the acknowledgement."""
        link = next((one for one in self._links if not one.leaving), None)
        if link is None:
            return Outcome("connection_failed")
        self._links.remove(link)
        self._links.append(link)
        envelope_id = self._world.ids.envelope()
        body: Payload = {"envelope_id": envelope_id, "payload": what.payload, "type": what.kind}
        body["accepts_response_payload"] = what.kind in _REPLIES
        if what.kind == "events_api":
            body |= {"retry_attempt": attempt, "retry_reason": reason}
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        link.pending[envelope_id] = done
        try:
            await link.socket.send_json(body)
            async with asyncio.timeout(self.patience):
                return await done
        except TimeoutError:
            return Outcome("timeout")
        except (ConnectionError, RuntimeError):
            return Outcome("connection_failed")
        finally:
            link.pending.pop(envelope_id, None)

    async def warn(self) -> None:
        """Say to every connection that it will end soon."""
        await self._each(_goodbye("warning"))

    async def refresh(self) -> None:
        """End every connection as Slack does every few hours: say so, then close once a new one may have come."""
        links = list(self._links)
        for one in links:
            one.leaving = True
            await one.socket.send_json(_goodbye("refresh_requested"))
        for one in links:
            await one.socket.close()

    def drop_all(self) -> None:
        """Cut every connection without a word."""
        for one in list(self._links):
            if one.transport is not None:
                one.transport.abort()
            self._forget(one)

    async def close_all(self) -> None:
        """Close every connection."""
        for one in list(self._links):
            await one.socket.close(code=1001)

    async def _each(self, body: Payload) -> None:
        for one in list(self._links):
            await one.socket.send_json(body)

    async def _read(self, link: Link) -> None:
        async for message in link.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                said = json.loads(message.data)
            except ValueError:
                continue
            done = link.pending.get(str(said.get("envelope_id"))) if isinstance(said, dict) else None
            if done is not None and not done.done():
                done.set_result(Outcome(None, said.get("payload") or ""))

    def _forget(self, link: Link) -> None:
        if link in self._links:
            self._links.remove(link)
        for done in link.pending.values():
            if not done.done():
                done.set_result(Outcome("connection_failed"))
        self._world.changes.notify()

    def _hello(self) -> Payload:
        return {
            "type": "hello",
            "num_connections": self.connected,
            "debug_info": {"host": "applink-1", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._world.app.id},
        }


def _goodbye(reason: str) -> Payload:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}
