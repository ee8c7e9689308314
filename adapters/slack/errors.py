"""Slack's words as core.errors: the word decides who must act (https://docs.slack.dev/reference/methods, the errors of each method)."""

from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from core.errors import (
    ExternalError,
    InstallationRevoked,
    MemberUnreachable,
    PermanentError,
    PermissionMissing,
    RateLimited,
    ResourceMissing,
    TransientError,
)

NETWORK_ERRORS = (SlackClientError, aiohttp.ClientError, OSError, TimeoutError)
"""What a call may raise when it is Slack's or the network's doing, and not a bug of ours."""
UNSETTLED = frozenset({"fatal_error"})
"""Some of it may have happened all the same: look before trying again."""

_WAIT, _MIGRATION = 5.0, 1800.0
_SERVER_ERROR, _TOO_MANY = 500, 429

WAIT_FOR_USER = {
    "user_not_found": "They are not in the workspace.",
    "users_not_found": "They are not in the workspace.",
    "org_user_not_in_team": "They are in the organisation, but not in this workspace.",
    "invitee_cant_see_channel": "They cannot see the workspace that channel belongs to.",
    "user_disabled": "Their account in the workspace is deactivated. Whoever manages it can bring it back under Manage members.",
    "cannot_dm_bot": "That is an app, which reads no messages.",
}
"""They must come in, or be brought back, first. On a revoke there is nothing left to take: as good as done."""

TENANT_FIX = {
    "missing_scope": "The app lacks a permission",
    "not_in_channel": "The app is not in that channel. Write /invite and its name there.",
    "channel_not_found": "The app cannot see that channel: it was deleted, or the app was removed from it. Invite the app there again.",
    "is_archived": "That channel is archived, so nobody can be added or removed. Unarchive it, or choose another one for the plan.",
    "restricted_action": "A setting of the workspace forbids that to apps. Change it under Workspace settings, Permissions.",
    "cant_invite": "The app may not invite that person there. Add them by hand, or change Workspace settings, Permissions.",
    "cant_kick_self": "That is the app itself, which cannot remove itself from a channel.",
    "cant_kick_from_general": "Nobody can be removed from the channel everyone is in. Choose another one for the plan.",
    "user_is_restricted": "Guests cannot be handled that way. Make them a full member, or add them by hand.",
    "ura_max_channels": "They are a guest of one channel and cannot be in another. Make them a full member or a guest of several.",
    "plan_upgrade_required": "User groups need a paid Slack plan. Choose a private channel instead, which every plan has.",
    "permission_denied": (
        "User groups may be changed by owners and admins only. Let everyone change them under Workspace settings, Permissions, User groups."
    ),
    "no_permission": "The workspace does not let the app do that. Install the app again as an owner.",
    "not_allowed_token_type": "The app's kind of token may not do that. Install the app again.",
    "method_not_supported_for_channel_type": "That kind of conversation cannot be sold. Choose a channel.",
    "ekm_access_denied": "The organisation's key management forbids that. Its owners must allow the app.",
    "team_access_not_granted": "The app is in the organisation, but not in this workspace. Its owners must add it there.",
    "subteam_max_users_exceeded": "The user group holds as many people as Slack allows. Sell another one to the rest.",
    "single_channel_guests_cannot_be_added": "A guest of one channel cannot be in a user group. Make them a full member.",
    "invalid_users": "A guest or an app cannot be in a user group. Make them a full member.",
    "failed_for_some_users": "Slack does not let that person into the user group.",
}
"""Whoever runs the workspace must act. On a revoke it stays open: the person still has it."""

TENANT_DEAD = frozenset({"account_inactive", "token_revoked", "invalid_auth", "not_authed", "token_expired"})
MIGRATING = frozenset({"org_login_required", "team_added_to_org"})
RETRY = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "hash_conflict"})
LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_GONE = "The app is not in that workspace any more. Add it again from the setup page."
_MISSING = {
    "channel_not_found": "That channel does not exist any more, or the app is not in it. Invite the app there, or choose another one.",
    "no_such_subteam": "That user group does not exist any more. Choose another one for the plan.",
    "message_not_found": "That message does not exist any more.",
}
"""What was to be given, or written in, is gone. A channel we cannot see may only be closed to us: whoever is in it has it still."""
_OPERATOR = {
    "messages_tab_disabled": "The app takes no direct messages. Switch on the Messages Tab under App Home in its settings.",
    "expired_trigger_id": "The form came too late to be opened.",
    "exchanged_trigger_id": "The form was opened already.",
    "view_too_large": "The page is larger than Slack shows.",
}


def translate(error: Exception, *, granting: bool = True) -> ExternalError | None:
    """Return what ``error`` means; None when what was asked for is so already. The caller raises it ``from error``."""
    match error:
        case ExternalError():
            return error
        case SlackApiError():
            return _of_answer(error, granting=granting)
        case _:
            return TransientError(f"Slack could not be reached ({type(error).__name__}).", code=type(error).__name__)


def _of_answer(error: SlackApiError, *, granting: bool) -> ExternalError | None:
    status = int(getattr(error.response, "status_code", 0) or getattr(error.response, "status", 0) or 0)
    body = getattr(error.response, "data", None)
    answer: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    if status == _TOO_MANY:
        return RateLimited("Slack says to wait.", retry_after=wait_of(error.response.headers), code="ratelimited")
    if status >= _SERVER_ERROR or not answer.get("error"):
        return TransientError(f"Slack is in trouble (HTTP {status}).", code=str(status))
    return of_word(str(answer["error"]), answer, granting=granting)


def of_word(word: str, answer: Mapping[str, Any] | None = None, *, granting: bool = True) -> ExternalError | None:
    """Return what Slack's ``word`` means for giving, or else for taking; None when that is so already."""
    if word == ("already_in_channel" if granting else "not_in_channel"):
        return None
    return _for_a_while(word) or _for_good(word, answer or {}, granting=granting)


def _for_a_while(word: str) -> TransientError | None:
    if word in LIMITED:
        return RateLimited("Slack says to wait.", retry_after=_WAIT, code=word)
    if word in MIGRATING:
        return RateLimited("The workspace is moving into an organisation, which takes hours.", retry_after=_MIGRATION, code=word)
    return TransientError(f"Slack is in trouble ({word}).", code=word) if word in RETRY else None


def _for_good(word: str, answer: Mapping[str, Any], *, granting: bool) -> PermanentError:
    if word in TENANT_DEAD:
        return InstallationRevoked(_GONE, code=word)
    if word in WAIT_FOR_USER:
        return MemberUnreachable(WAIT_FOR_USER[word], code=word)
    if word in _MISSING and (granting or word not in TENANT_FIX):
        return ResourceMissing(_MISSING[word], code=word)
    if word in TENANT_FIX:
        return PermissionMissing(_fix(word, answer), code=word)
    return PermanentError(_OPERATOR.get(word, f"Slack refused: {word[:200]}."), code=word)


def _fix(word: str, answer: Mapping[str, Any]) -> str:
    if word != "missing_scope":
        return TENANT_FIX[word]
    needed = str(answer.get("needed") or "").strip()
    return f"{TENANT_FIX[word]}{f' ({needed})' if needed else ''}. Add it again from the setup page, so that it is asked for."


def wait_of(headers: Mapping[str, str]) -> float:
    """Return the seconds Slack says to wait, or a few when it does not say."""
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(given) if given.replace(".", "", 1).isdigit() else _WAIT
