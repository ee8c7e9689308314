from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.discord.errors import Payload

if TYPE_CHECKING:
    from sandbox.discord.world import World

ACTIONS: dict[str, int] = {
    "GUILD_UPDATE": 1,
    "CHANNEL_CREATE": 10,
    "CHANNEL_UPDATE": 11,
    "CHANNEL_DELETE": 12,
    "CHANNEL_OVERWRITE_CREATE": 13,
    "MEMBER_KICK": 20,
    "MEMBER_BAN_ADD": 22,
    "MEMBER_BAN_REMOVE": 23,
    "MEMBER_UPDATE": 24,
    "MEMBER_ROLE_UPDATE": 25,
    "BOT_ADD": 28,
    "ROLE_CREATE": 30,
    "ROLE_UPDATE": 31,
    "ROLE_DELETE": 32,
    "INVITE_CREATE": 40,
    "INVITE_DELETE": 42,
    "MESSAGE_DELETE": 72,
    "THREAD_CREATE": 110,
    "THREAD_DELETE": 112,
}
Change = tuple[str, Any, Any]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom, and the reason they gave; ``changes`` are (key, before, after)."""

    id: int
    action: str
    user_id: int
    target_id: int | None
    reason: str | None
    changes: tuple[Change, ...] = ()

    def payload(self) -> Payload:
        """Return the entry as the API writes it."""
        body: Payload = {
            "id": str(self.id),
            "action_type": ACTIONS[self.action],
            "user_id": str(self.user_id),
            "target_id": str(self.target_id) if self.target_id is not None else None,
            "changes": [_change(*change) for change in self.changes],
        }
        if self.reason:
            body["reason"] = self.reason
        return body


class AuditLog:
    """One server's log, oldest first."""

    def __init__(self, guild_id: int) -> None:
        self._guild_id = guild_id
        self.entries: list[AuditEntry] = []

    def add(
        self, world: "World", action: str, user_id: int, target_id: int | None, reason: str | None, changes: Iterable[Change] = ()
    ) -> None:
        """Write an entry and tell the sessions that follow moderation."""
        entry = AuditEntry(world.ids.snowflake(), action, user_id, target_id, reason, tuple(changes))
        self.entries.append(entry)
        world.hub.publish("GUILD_AUDIT_LOG_ENTRY_CREATE", {**entry.payload(), "guild_id": str(self._guild_id)}, self._guild_id)

    def page(self, *, limit: int, before: int | None, user_id: int | None, action: int | None) -> list[AuditEntry]:
        """Return up to ``limit`` entries, newest first."""
        found: list[AuditEntry] = []
        for entry in reversed(self.entries):
            if before is not None and entry.id >= before:
                continue
            if user_id is not None and entry.user_id != user_id:
                continue
            if action is not None and ACTIONS[entry.action] != action:
                continue
            found.append(entry)
            if len(found) == limit:
                break
        return found


def _change(key: str, before: object, after: object) -> Payload:
    body: Payload = {"key": key}
    if before is not None:
        body["old_value"] = before
    if after is not None:
        body["new_value"] = after
    return body
