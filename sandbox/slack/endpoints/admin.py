"""What only an organisation's administrators may do."""

from sandbox.slack.endpoints.call import Call, Endpoint, when
from sandbox.slack.errors import Payload
from sandbox.slack.plans import Plan, Role
from sandbox.slack.workspaces import Invitation


def invite(call: Call) -> Payload:
    """Invite somebody by e-mail, as a member or a guest."""
    when(call.workspace.plan is not Plan.ENTERPRISE, "feature_not_enabled")
    when(not call.actor.is_admin, "not_an_admin")
    workspace = call.world.workspaces.get(call.text("team_id"))
    if workspace is None or workspace.enterprise is not call.workspace.enterprise:
        when(condition=True, error="team_not_found")
        return {}
    email = call.text("email").strip().lower()
    when("@" not in email, "invalid_email")
    channels = call.names("channel_ids")
    when(any(one not in workspace.channels for one in channels), "channel_not_found")
    known = next((one for one in workspace.users.values() if (one.email or "").lower() == email), None)
    when(known and not known.deleted, "already_in_team")
    when(known and known.deleted, "user_disabled")
    when(email in workspace.invitations and not call.flag("resend"), "already_in_team_invited_user")
    ultra, restricted = call.flag("is_ultra_restricted"), call.flag("is_restricted")
    when(ultra and len(channels) != 1, "ura_needs_one_channel")
    role = Role.SINGLE_CHANNEL_GUEST if ultra else Role.GUEST if restricted else Role.MEMBER
    workspace.invitations[email] = Invitation(email, role, tuple(channels))
    call.world.changes.notify()
    return {}


ROUTES = (Endpoint("admin.users.invite", "2", invite, ("admin.users:write",), people_only=True),)
