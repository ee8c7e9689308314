from dataclasses import dataclass, field
from datetime import datetime

from sandbox.slack.errors import Payload
from sandbox.slack.ids import seconds


@dataclass(slots=True)
class UserGroup:
    """A user group (Slack's older name in ids and events: subteam)."""

    id: str
    team_id: str
    name: str
    handle: str
    created_by: str
    created: datetime
    updated: datetime
    updated_by: str
    description: str = ""
    channels: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    disabled: datetime | None = None
    disabled_by: str = ""

    def payload(self, *, with_users: bool = True, with_count: bool = True) -> Payload:
        """Return the user group object."""
        body: Payload = {
            "id": self.id,
            "team_id": self.team_id,
            "is_usergroup": True,
            "is_subteam": True,
            "name": self.name,
            "description": self.description,
            "handle": self.handle,
            "is_external": False,
            "date_create": seconds(self.created),
            "date_update": seconds(self.updated),
            "date_delete": seconds(self.disabled) if self.disabled else 0,
            "auto_type": None,
            "auto_provision": False,
            "enterprise_subteam_id": "",
            "created_by": self.created_by,
            "updated_by": self.updated_by,
            "deleted_by": self.disabled_by if self.disabled else None,
            "prefs": {"channels": self.channels, "groups": []},
        }
        if with_users:
            body["users"] = list(self.users)
        if with_count:
            body["user_count"] = len(self.users)
        return body
