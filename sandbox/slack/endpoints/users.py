from sandbox.slack import installation
from sandbox.slack.endpoints.call import Call, Endpoint, when
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.ids import seconds
from sandbox.slack.users import User


def info(call: Call) -> Payload:
    """Describe one user."""
    user = call.workspace.user(call.text("user"))
    body = user.payload(with_email=_sees_email(call))
    return {"user": body | ({"locale": "en-US"} if call.flag("include_locale") else {})}


def listing(call: Call) -> Payload:
    """List everybody, the deactivated too."""
    page, after = call.page(list(call.workspace.users.values()), default=1000)
    with_email = _sees_email(call)
    return {"members": [one.payload(with_email=with_email) for one in page], "cache_ts": seconds(call.world.clock.now()), **after}


def by_email(call: Call) -> Payload:
    """Find an active person by e-mail address."""
    wanted = call.text("email").strip().lower()
    for one in call.workspace.people():
        if (one.email or "").lower() == wanted:
            return {"user": one.payload(with_email=True)}
    raise RefusedError("users_not_found")


def profile(call: Call) -> Payload:
    """Return a profile."""
    user: User = call.workspace.user(call.text("user", call.actor.id))
    return {"profile": user.profile(with_email=_sees_email(call))}


def team(call: Call) -> Payload:
    """Describe the workspace."""
    when(call.text("team", call.workspace.id) != call.workspace.id, "team_not_found")
    return {"team": call.workspace.payload()}


def preferences(_call: Call) -> Payload:
    """Show the few preferences of a workspace that an app may read."""
    return {
        "allow_message_deletion": True,
        "display_real_names": False,
        "disable_file_uploads": "allow_all",
        "msg_edit_window_mins": -1,
        "who_can_post_general": "ra",
    }


def bot(call: Call) -> Payload:
    """Describe our app's bot."""
    mine = call.workspace.bot
    when(mine is None or call.text("bot", mine.bot_id) != mine.bot_id, "bot_not_found")
    profile = installation.bot_profile(call.world, call.workspace)
    profile.pop("team_id")
    return {"bot": profile | ({"user_id": mine.id} if mine else {})}


def _sees_email(call: Call) -> bool:
    return "users:read.email" in call.granted.scopes


ROUTES = (
    Endpoint("users.info", "4", info, ("users:read",)),
    Endpoint("users.list", "2", listing, ("users:read",)),
    Endpoint("users.lookupByEmail", "3", by_email, ("users:read.email",)),
    Endpoint("users.profile.get", "4", profile, ("users.profile:read", "users:read")),
    Endpoint("team.info", "3", team, ("team:read",)),
    Endpoint("team.preferences.list", "3", preferences, ("team.preferences:read",)),
    Endpoint("bots.info", "3", bot, ("users:read",)),
)
