from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.slack.channels import Channel
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.ids import seconds
from sandbox.slack.plans import Plan, Preferences, Role
from sandbox.slack.usergroups import UserGroup
from sandbox.slack.users import Account, User

LINK_LIFE, LINK_USES = timedelta(days=30), 400


@dataclass(slots=True)
class Enterprise:
    """An organisation that workspaces belong to."""

    id: str
    name: str


@dataclass(slots=True)
class InviteLink:
    """A shared invite link, as members copy it: good for 30 days and 400 people."""

    code: str
    team_id: str
    created_by: str
    expires_at: datetime
    uses: int = 0
    revoked: bool = False

    def open(self, now: datetime) -> bool:
        """Whether it still lets people in."""
        return not self.revoked and now < self.expires_at and self.uses < LINK_USES


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation sent to an e-mail address and not accepted yet."""

    email: str
    role: Role
    channels: tuple[str, ...]


@dataclass(slots=True)
class Workspace:
    """One workspace (Slack's word in the API: team)."""

    id: str
    name: str
    domain: str
    plan: Plan
    created: datetime
    enterprise: Enterprise | None = None
    preferences: Preferences = field(default_factory=Preferences)
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, UserGroup] = field(default_factory=dict)
    directs: dict[str, str] = field(default_factory=dict)
    """User id to the id of their direct conversation with our app."""
    links: dict[str, InviteLink] = field(default_factory=dict)
    invitations: dict[str, Invitation] = field(default_factory=dict)
    bot: User | None = None
    """Our bot's user, once the app was ever installed; ``deleted`` while it is not."""

    @property
    def installed(self) -> bool:
        return self.bot is not None and not self.bot.deleted

    @property
    def general(self) -> Channel:
        return next(one for one in self.channels.values() if one.general)

    def people(self) -> list[User]:
        """Return the active people."""
        return [one for one in self.users.values() if not one.deleted and not one.is_bot]

    def user_of(self, account: Account) -> User | None:
        """Return the user this human being is here, deactivated or not."""
        return next((one for one in self.users.values() if one.account is account), None)

    def direct_with(self, user_id: str) -> Channel | None:
        """Return the direct conversation between our app and a person, if they ever had one."""
        return self.channels.get(self.directs.get(user_id, ""))

    def channel_named(self, name: str) -> Channel:
        """Return the channel of that name; LookupError when there is none."""
        for one in self.channels.values():
            if one.name == name.removeprefix("#") and not one.is_im:
                return one
        raise LookupError(f"there is no channel #{name} in {self.name}")

    def user(self, user_id: str) -> User:
        """Return the user or refuse with user_not_found."""
        try:
            return self.users[user_id]
        except KeyError:
            raise RefusedError("user_not_found") from None

    def member_role(self, user: User) -> Role:
        """Return what preferences count the user as: an app's bot is a member."""
        return Role.MEMBER if user.is_bot else user.role

    def payload(self) -> Payload:
        """Return the team object."""
        body: Payload = {
            "id": self.id,
            "name": self.name,
            "domain": self.domain,
            "email_domain": "",
            "icon": {
                "image_default": True,
                **{f"image_{size}": f"https://a.slack-edge.com/team-{size}.png" for size in (34, 44, 68, 88, 102, 132, 230)},
            },
            "avatar_base_url": "https://ca.slack-edge.com/",
            "date_create": seconds(self.created),
            "plan": self.plan.wire,
        }
        if self.enterprise is not None:
            body |= {"enterprise_id": self.enterprise.id, "enterprise_name": self.enterprise.name}
        return body
