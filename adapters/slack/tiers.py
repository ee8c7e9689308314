"""How often each method may be called in a workspace: https://docs.slack.dev/apis/web-api/rate-limits.

Slack counts per method, per workspace, per app, and promises at least these figures a minute.
"""

TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100
POSTING = 300
"""chat.postMessage has a limit of its own, "several hundred a minute", and one message a second in each channel."""
SPECIAL = 200
"""auth.test and the sign-in calls: "hundreds a minute"."""
SCIM = 60
"""SCIM has limits of its own, for each kind of call; the lowest of them."""
SHARE = 0.96
"""What we take of each, so that an operator's script or a second process fits in beside us."""
POST_EVERY = 1.0
"""Seconds between two messages in one channel."""

_TIERS = {
    "admin.users.invite": TIER_2,
    "apps.connections.open": TIER_1,
    "auth.teams.list": TIER_2,
    "auth.test": SPECIAL,
    "chat.postEphemeral": TIER_4,
    "chat.postMessage": POSTING,
    "chat.update": TIER_3,
    "conversations.info": TIER_3,
    "conversations.invite": TIER_3,
    "conversations.kick": TIER_3,
    "conversations.list": TIER_2,
    "conversations.members": TIER_4,
    "conversations.open": TIER_3,
    "oauth.v2.access": SPECIAL,
    "openid.connect.token": SPECIAL,
    "openid.connect.userInfo": SPECIAL,
    "team.info": TIER_3,
    "usergroups.disable": TIER_2,
    "usergroups.enable": TIER_2,
    "usergroups.list": TIER_2,
    "usergroups.users.update": TIER_2,
    "users.conversations": TIER_3,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "users.lookupByEmail": TIER_3,
    "views.open": TIER_4,
    "views.publish": TIER_4,
    "views.update": TIER_4,
}


def a_minute(method: str) -> int:
    """Return how many calls of ``method`` we make in one workspace in a minute; one we do not know is taken for dear."""
    return max(1, int(_TIERS.get(method, TIER_2) * SHARE))
