from dataclasses import dataclass, field
from datetime import datetime

from sandbox.slack.errors import Payload
from sandbox.slack.ids import seconds
from sandbox.slack.messages import Message


@dataclass(slots=True)
class Channel:
    """A public or private channel, or a direct conversation (``partner`` set). ``members`` keeps the order of joining."""

    id: str
    team_id: str
    name: str
    creator: str
    created: datetime
    private: bool = False
    general: bool = False
    partner: str | None = None
    archived: bool = False
    topic: str = ""
    purpose: str = ""
    members: dict[str, None] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    shared_invites: list[Payload] = field(default_factory=list)

    @property
    def is_im(self) -> bool:
        return self.partner is not None

    @property
    def kind(self) -> str:
        """The channel's type as ``conversations.list`` calls it."""
        return "im" if self.is_im else "private_channel" if self.private else "public_channel"

    @property
    def event_prefix(self) -> str:
        """How the events about it begin."""
        return "group" if self.private else "channel"

    def payload(self, viewer: str, *, counted: bool = False, short: bool = False) -> Payload:
        """Return the conversation object as ``viewer`` (a user id) sees it; ``short`` leaves out what is theirs."""
        if self.partner is not None:
            return self._direct()
        stamp = {"value": "", "creator": "", "last_set": 0}
        body: Payload = {
            "id": self.id,
            "name": self.name,
            "is_channel": True,
            "is_group": False,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.private,
            "created": seconds(self.created),
            "is_archived": self.archived,
            "is_general": self.general,
            "unlinked": 0,
            "name_normalized": self.name,
            "is_shared": False,
            "is_org_shared": False,
            "is_pending_ext_shared": bool(self.shared_invites),
            "pending_shared": [],
            "parent_conversation": None,
            "creator": self.creator,
            "is_ext_shared": False,
            "shared_team_ids": [self.team_id],
            "pending_connected_team_ids": [],
            "topic": {**stamp, "value": self.topic},
            "purpose": {**stamp, "value": self.purpose},
            "previous_names": [],
        }
        if not short:
            body["is_member"] = viewer in self.members
        if counted:
            body["num_members"] = len(self.members)
        return body

    def _direct(self) -> Payload:
        return {
            "id": self.id,
            "created": seconds(self.created),
            "is_archived": False,
            "is_im": True,
            "is_org_shared": False,
            "user": self.partner,
        }
