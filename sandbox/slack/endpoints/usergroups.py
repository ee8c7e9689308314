from sandbox.slack import birth, events
from sandbox.slack.endpoints.call import Call, Endpoint, when
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.plans import Role
from sandbox.slack.usergroups import UserGroup


def listing(call: Call) -> Payload:
    """List user groups."""
    shown = [one for one in call.workspace.groups.values() if one.disabled is None or call.flag("include_disabled")]
    with_users, with_count = call.flag("include_users"), call.flag("include_count")
    return {"usergroups": [one.payload(with_users=with_users, with_count=with_count) for one in shown]}


def create(call: Call) -> Payload:
    """Make a user group."""
    _may(call)
    name = call.text("name")
    handle = call.text("handle", name.lower().replace(" ", "-"))
    group = birth.create_group(call.world, call.workspace, call.actor, name, handle)
    group.description, group.channels = call.text("description", ""), call.names("channels", "")
    return {"usergroup": group.payload(with_users=False)}


def change(call: Call) -> Payload:
    """Change name, handle, description or default channels."""
    _may(call)
    group = _group(call)
    group.name, group.handle = call.text("name", group.name), call.text("handle", group.handle)
    group.description, group.channels = call.text("description", group.description), call.names("channels", ",".join(group.channels))
    return _changed(call, group)


def disable(call: Call) -> Payload:
    """Disable a group; who was in it is remembered."""
    _may(call)
    group = _group(call)
    when(group.disabled, "already_disabled")
    group.disabled, group.disabled_by = call.world.clock.now(), call.actor.id
    for user in group.users:
        call.world.note_hold(group.id, user, held=False)
    return _changed(call, group)


def enable(call: Call) -> Payload:
    """Enable a group again, with who was in it."""
    _may(call)
    group = _group(call)
    when(group.disabled is None, "already_enabled")
    group.disabled = None
    for user in group.users:
        call.world.note_hold(group.id, user, held=True)
    return _changed(call, group)


def users(call: Call) -> Payload:
    """List who is in a group."""
    group = _group(call)
    when(group.disabled and not call.flag("include_disabled"), "no_such_subteam")
    return {"users": list(group.users)}


def update_users(call: Call) -> Payload:
    """Replace everybody in the group; it cannot be left empty."""
    _may(call)
    group = _group(call)
    wanted = list(dict.fromkeys(call.names("users", "")))
    when(not wanted, "no_users_provided")
    _check_users(call, wanted)
    when(len(wanted) > call.workspace.preferences.group_size, "subteam_max_users_exceeded")
    added = [one for one in wanted if one not in group.users]
    removed = [one for one in group.users if one not in wanted]
    group.users = wanted
    for names, held in ((added, True), (removed, False)):
        for one in names:
            call.world.note_hold(group.id, one, held=held and group.disabled is None)
    return _changed(call, group, added, removed)


def _check_users(call: Call, wanted: list[str]) -> None:
    known = [call.workspace.users[one] for one in wanted if one in call.workspace.users]
    when(not known, "invalid_users")
    when(len(known) < len(wanted) or any(one.deleted for one in known), "failed_for_some_users")
    when(any(one.role == Role.SINGLE_CHANNEL_GUEST for one in known), "single_channel_guests_cannot_be_added")
    when(any(one.is_bot or one.is_guest for one in known), "invalid_users")


def _may(call: Call) -> None:
    when(not call.workspace.plan.paid, "plan_upgrade_required")
    when(call.actor.is_guest, "user_is_restricted")
    when(call.workspace.member_role(call.actor) < call.workspace.preferences.manage_groups, "permission_denied")


def _group(call: Call) -> UserGroup:
    try:
        return call.workspace.groups[call.text("usergroup")]
    except KeyError:
        raise RefusedError("no_such_subteam") from None


def _changed(call: Call, group: UserGroup, added: list[str] | None = None, removed: list[str] | None = None) -> Payload:
    group.updated, group.updated_by = call.world.clock.now(), call.actor.id
    events.group_event(call.world, call.workspace, group, added or [], removed or [])
    return {"usergroup": group.payload(with_count=call.flag("include_count"))}


_READ, _WRITE = ("usergroups:read",), ("usergroups:write",)
ROUTES = (
    Endpoint("usergroups.list", "2", listing, _READ),
    Endpoint("usergroups.create", "2", create, _WRITE),
    Endpoint("usergroups.update", "2", change, _WRITE),
    Endpoint("usergroups.enable", "2", enable, _WRITE),
    Endpoint("usergroups.disable", "2", disable, _WRITE),
    Endpoint("usergroups.users.list", "2", users, _READ),
    Endpoint("usergroups.users.update", "2", update_users, _WRITE),
)
