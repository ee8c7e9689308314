from dataclasses import dataclass, field
from datetime import datetime
from hashlib import md5, sha256

from sandbox.slack.errors import Payload
from sandbox.slack.ids import seconds
from sandbox.slack.plans import Role


@dataclass(slots=True)
class Account:
    """A human being with an e-mail address, who may be in any number of workspaces."""

    name: str
    email: str
    real_name: str
    email_verified: bool = True


@dataclass(slots=True)
class User:
    """Somebody, or our bot, in one workspace."""

    id: str
    team_id: str
    name: str
    real_name: str
    role: Role
    updated: datetime
    account: Account | None = None
    enterprise_id: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    deleted: bool = False
    channels: set[str] = field(default_factory=set)

    @property
    def email(self) -> str | None:
        return self.account.email if self.account else None

    @property
    def is_bot(self) -> bool:
        return self.bot_id is not None

    @property
    def is_guest(self) -> bool:
        return self.role in {Role.GUEST, Role.SINGLE_CHANNEL_GUEST}

    @property
    def is_admin(self) -> bool:
        return self.role >= Role.ADMIN

    def payload(self, *, with_email: bool) -> Payload:
        """Return the user object; ``with_email`` for a token with users:read.email."""
        body: Payload = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": self.deleted,
            "profile": self.profile(with_email=with_email),
            "is_bot": self.is_bot,
            **({"is_email_confirmed": self.account.email_verified} if self.account and not self.deleted else {}),
            "is_app_user": False,
            "updated": seconds(self.updated),
        }
        if self.enterprise_id is not None:
            body["enterprise_user"] = {
                "id": self.id,
                "enterprise_id": self.enterprise_id,
                "enterprise_name": "",
                "is_admin": False,
                "is_owner": False,
                "teams": [self.team_id],
            }
        if self.deleted:
            return body
        return body | {
            "color": sha256(self.id.encode()).hexdigest()[:6],
            "real_name": self.real_name,
            "tz": "Europe/London",
            "tz_label": "Greenwich Mean Time",
            "tz_offset": 0,
            "is_admin": self.is_admin,
            "is_owner": self.role >= Role.OWNER,
            "is_primary_owner": self.role == Role.PRIMARY_OWNER,
            "is_restricted": self.is_guest,
            "is_ultra_restricted": self.role == Role.SINGLE_CHANNEL_GUEST,
        }

    def profile(self, *, with_email: bool) -> Payload:
        """Return the profile object."""
        first, _, last = self.real_name.partition(" ")
        body: Payload = {
            "title": "",
            "phone": "",
            "skype": "",
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.name,
            "display_name_normalized": self.name,
            "fields": None,
            "status_text": "",
            "status_emoji": "",
            "status_expiration": 0,
            "avatar_hash": md5(self.id.encode(), usedforsecurity=False).hexdigest()[:12],
            "first_name": first,
            "last_name": last,
            "team": self.team_id,
        }
        if self.is_bot:
            return body | {"api_app_id": self.app_id, "bot_id": self.bot_id, "always_active": True}
        return body | ({"email": self.email} if with_email and self.email else {})
