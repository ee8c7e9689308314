"""Who is connected to the gateway, what each may hear, and what was said while they were away."""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import islice

from sandbox.discord.errors import Payload
from sandbox.discord.users import User

GUILDS, MEMBERS, MODERATION, INVITES, GUILD_MESSAGES, DM_MESSAGES, CONTENT = (1 << bit for bit in (0, 1, 2, 6, 9, 12, 15))
PRIVILEGED = MEMBERS | CONTENT | 1 << 8
REMEMBERED = 20_000
"""Events kept for a session that lost its connection."""

_NEEDS: dict[str, int] = {
    "GUILD_MEMBER_ADD": MEMBERS,
    "GUILD_MEMBER_UPDATE": MEMBERS,
    "GUILD_MEMBER_REMOVE": MEMBERS,
    "GUILD_AUDIT_LOG_ENTRY_CREATE": MODERATION,
    "INVITE_CREATE": INVITES,
    "INVITE_DELETE": INVITES,
    "INTERACTION_CREATE": 0,
}


@dataclass(slots=True)
class Session:
    """One identified connection, or one that may resume. ``wake`` is called when there is something to send."""

    id: str
    intents: int
    shard: tuple[int, int] = (0, 1)
    sequence: int = 0
    events: deque[Payload] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    wake: Callable[[], None] | None = None

    def hears(self, name: str, guild_id: int | None, *, own: bool) -> bool:
        """Whether this session is told of event ``name``; ``own``: it is about the bot itself."""
        at, count = self.shard
        if ((guild_id >> 22) % count if guild_id is not None else 0) != at:
            return False
        if name.startswith("MESSAGE_"):
            need = DM_MESSAGES if guild_id is None else GUILD_MESSAGES
        else:
            need = 0 if own else _NEEDS.get(name, GUILDS)
        return self.intents & need == need

    def push(self, name: str, data: Payload) -> None:
        """Add an event to what the session has to hear."""
        self.sequence += 1
        if name.startswith("MESSAGE_") and not self.intents & CONTENT and not data.get("author", {}).get("bot") and "guild_id" in data:
            data = {**data, "content": "", "embeds": [], "components": []}
        self.events.append({"op": 0, "t": name, "s": self.sequence, "d": data})
        if self.wake:
            self.wake()

    def since(self, sequence: int) -> list[Payload] | None:
        """Return the events after ``sequence``, or None when too much was missed or never said."""
        missed = self.sequence - sequence
        if not 0 <= missed <= len(self.events):
            return None
        return list(islice(reversed(self.events), missed))[::-1]


class Hub:
    """Hands each event of the servers ``me`` (the bot) is in to every session that may hear it."""

    def __init__(self, me: User) -> None:
        self._me = me
        self.sessions: dict[str, Session] = {}
        self.starts_left = 1000

    def open(self, session: Session) -> None:
        """Add an identified session; one that was lost before on the same shard is given up."""
        for one in [one for one in self.sessions.values() if one.wake is None and one.shard == session.shard]:
            del self.sessions[one.id]
        self.sessions[session.id] = session
        self.starts_left -= 1

    def close(self, session_id: str) -> None:
        """Forget a session; it cannot be resumed."""
        self.sessions.pop(session_id, None)

    def publish_each(self, name: str, data: Callable[[bool], Payload], guild_id: int) -> None:
        """Tell of ``name`` with what ``data(hears_of_members)`` returns for each session."""
        for session in self._of(guild_id):
            if session.hears(name, guild_id, own=False):
                session.push(name, data(bool(session.intents & MEMBERS)))

    def publish(self, name: str, data: Payload, guild_id: int | None, about: int | None = None) -> None:
        """Tell of ``name``; ``about`` is the user it concerns."""
        for session in self._of(guild_id):
            if session.hears(name, guild_id, own=about == self._me.id):
                session.push(name, data)

    def _of(self, guild_id: int | None) -> Collection[Session]:
        return self.sessions.values() if guild_id is None or guild_id in self._me.guilds else ()
