"""One gateway connection: HELLO, IDENTIFY, heartbeats, RESUME, and the events of its session as text frames."""

import asyncio
import json
from contextlib import suppress

from aiohttp import WSMsgType, web

from sandbox.discord.errors import Payload
from sandbox.discord.hub import GUILDS, MEMBERS, PRIVILEGED, Session
from sandbox.discord.oauth import same
from sandbox.discord.world import World

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, ACK = (
    0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11,
)  # fmt: skip
UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED, WRONG_TOKEN, ALREADY_IN, BAD_SHARD, BAD_INTENTS, FORBIDDEN_INTENTS = (
    4001, 4002, 4003, 4004, 4005, 4010, 4013, 4014,
)  # fmt: skip
_KNOWN_INTENTS = (1 << 26) - 1
_GOING_AWAY = {1000, 1001}


class CloseError(Exception):
    """The connection ends with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Connection:
    """One websocket: at most one session, and how far it has been told."""

    def __init__(self, world: World, socket: web.WebSocketResponse, transport: asyncio.Transport | None, resume_url: str) -> None:
        self.socket = socket
        self.transport = transport
        self.session: Session | None = None
        self._world = world
        self._resume_url = resume_url
        self._told = 0
        self._wake = asyncio.Event()
        self._direct: list[str] = []

    def say(self, text: str) -> None:
        """Send a frame of its own, outside the session's events."""
        self._direct.append(text)
        self._wake.set()

    async def write(self) -> None:
        """Send whatever there is to send until cancelled or the client is gone."""
        with suppress(ConnectionError):
            while True:
                await self._wake.wait()
                self._wake.clear()
                for frame in self._due():
                    await self.socket.send_str(frame)

    async def read(self, patience: float) -> None:
        """Obey the client until it leaves or does something it may not; ``patience`` is the longest silence in seconds."""
        self.say(frame_text(HELLO, {"heartbeat_interval": int(patience * 1000 / 2)}))
        while True:
            message = await self.socket.receive(timeout=patience)
            if message.type is not WSMsgType.TEXT:
                break
            try:
                frame = json.loads(message.data)
            except ValueError:
                raise CloseError(DECODE_ERROR, "Error while decoding payload.") from None
            self._obey(frame)

    def leave(self) -> None:
        """Let the session go; one that the client closed for good cannot be resumed."""
        if self.session is not None and self.session.wake == self._wake.set:
            self.session.wake = None
            if self.socket.close_code in _GOING_AWAY:
                self._world.hub.close(self.session.id)

    def _obey(self, frame: Payload) -> None:
        op, data = frame.get("op"), frame.get("d")
        if op == HEARTBEAT:
            self.say(frame_text(ACK, None))
        elif op == IDENTIFY:
            self._identify(data if isinstance(data, dict) else {})
        elif op == RESUME:
            self._resume(data if isinstance(data, dict) else {})
        elif self.session is None:
            raise CloseError(NOT_AUTHENTICATED, "Not authenticated.")
        elif op == REQUEST_MEMBERS:
            self._list_members(data if isinstance(data, dict) else {})
        elif op not in {PRESENCE, VOICE}:
            raise CloseError(UNKNOWN_OPCODE, "Unknown opcode.")

    def _identify(self, data: Payload) -> None:
        if self.session is not None:
            raise CloseError(ALREADY_IN, "Already authenticated.")
        if not same(str(data.get("token")), self._world.app.token):
            raise CloseError(WRONG_TOKEN, "Authentication failed.")
        intents, shard = int(data.get("intents") or 0), data.get("shard") or [0, 1]
        if intents & ~_KNOWN_INTENTS:
            raise CloseError(BAD_INTENTS, "Invalid intent(s).")
        if intents & PRIVILEGED & ~(MEMBERS if self._world.app.members_intent else 0):
            raise CloseError(FORBIDDEN_INTENTS, "Disallowed intent(s).")
        if not 0 <= shard[0] < shard[1]:
            raise CloseError(BAD_SHARD, "Invalid shard.")
        session = Session(self._world.ids.secret(32), intents, (shard[0], shard[1]))
        self._world.hub.open(session)
        self._attach(session, 0)
        self._welcome(session)

    def _welcome(self, session: Session) -> None:
        world = self._world
        at, count = session.shard
        mine = [world.guilds[one] for one in sorted(world.bot.guilds) if (one >> 22) % count == at]
        ready = {
            "v": 10,
            "user": world.bot.own_payload(),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in mine],
            "session_id": session.id,
            "resume_gateway_url": self._resume_url,
            "shard": list(session.shard),
            "application": {"id": str(world.app.id), "flags": world.app_payload()["flags"]},
        }
        session.push("READY", ready)
        for guild in mine:
            if guild.available and session.intents & GUILDS:
                session.push("GUILD_CREATE", guild.create_payload(world.bot.id, everyone=bool(session.intents & MEMBERS)))

    def _resume(self, data: Payload) -> None:
        session = self._world.hub.sessions.get(str(data.get("session_id")))
        sequence = data.get("seq")
        known = session is not None and same(str(data.get("token")), self._world.app.token) and isinstance(sequence, int)
        if session is None or not known or session.since(int(sequence or 0)) is None:
            self.say(frame_text(INVALID_SESSION, data=False))
            return
        self._attach(session, int(sequence or 0))
        session.push("RESUMED", {})

    def _attach(self, session: Session, told: int) -> None:
        self.session, self._told = session, told
        session.wake = self._wake.set
        self._wake.set()

    def _due(self) -> list[str]:
        frames, self._direct = self._direct, []
        if self.session is not None and self.session.wake == self._wake.set:
            events = self.session.since(self._told) or []
            self._told = self.session.sequence
            frames += [json.dumps(event, separators=(",", ":")) for event in events]
        return frames

    def _list_members(self, data: Payload) -> None:
        guild, session = self._world.guilds.get(int(data.get("guild_id") or 0)), self.session
        if guild is None or session is None or self._world.bot.id not in guild.members:
            return
        wanted = data.get("user_ids")
        if wanted is not None:
            ids = [int(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
            found = [guild.members[one] for one in ids if one in guild.members]
        elif not session.intents & MEMBERS and not data.get("query"):
            return
        else:
            start, limit = str(data.get("query") or "").lower(), int(data.get("limit") or 0) or len(guild.members)
            found = [member for member in guild.members.values() if member.user.username.lower().startswith(start)][:limit]
        pages = [found[at : at + 1000] for at in range(0, len(found), 1000)] or [[]]
        for index, page in enumerate(pages):
            body = {"guild_id": str(guild.id), "members": [member.payload() for member in page], "chunk_index": index}
            body |= {"chunk_count": len(pages), "not_found": []} | ({"nonce": data["nonce"]} if "nonce" in data else {})
            session.push("GUILD_MEMBERS_CHUNK", body)


def frame_text(op: int, data: object, event: str | None = None) -> str:
    """Return a frame that belongs to no session's numbered events."""
    return json.dumps({"op": op, "d": data, "s": None, "t": event})
