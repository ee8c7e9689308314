"""What a workspace has paid for and what it lets whom do: https://slack.com/help, "Manage permissions"."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Plan(StrEnum):
    """The profiles a workspace can have."""

    FREE = "free"
    PRO = "pro"
    BUSINESS = "business+"
    ENTERPRISE = "enterprise"

    @property
    def paid(self) -> bool:
        return self is not Plan.FREE

    @property
    def has_scim(self) -> bool:
        return self in {Plan.BUSINESS, Plan.ENTERPRISE}

    @property
    def wire(self) -> str:
        """The plan as ``team.info`` writes it."""
        return {Plan.FREE: "", Plan.PRO: "std", Plan.BUSINESS: "plus", Plan.ENTERPRISE: "enterprise"}[self]


class Role(IntEnum):
    """What somebody is in a workspace; a higher number may do more."""

    SINGLE_CHANNEL_GUEST = 0
    GUEST = 1
    MEMBER = 2
    ADMIN = 3
    OWNER = 4
    PRIMARY_OWNER = 5


@dataclass(slots=True)
class Preferences:
    """Who may do what: the lowest role that may. An app with a bot token counts as a member.

    The figures are Slack's defaults, but for ``group_size``, which Slack does not publish.
    """

    remove_from_public: Role = Role.ADMIN
    remove_from_private: Role = Role.MEMBER
    manage_groups: Role = Role.ADMIN
    create_private: Role = Role.MEMBER
    create_public: Role = Role.MEMBER
    archive_channels: Role = Role.MEMBER
    invite_people: Role = Role.ADMIN
    """On the free plan every member may."""
    install_apps: Role = Role.MEMBER
    group_size: int = 10_000
