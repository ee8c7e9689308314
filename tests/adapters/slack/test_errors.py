"""Every word Slack can answer has a class that says when to try again and who must act."""

from types import SimpleNamespace

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from adapters.slack.errors import of_word, translate
from core.errors import (
    ExternalError,
    InstallationRevoked,
    MemberUnreachable,
    PermanentError,
    PermissionMissing,
    RateLimited,
    Remedy,
    ResourceMissing,
    TransientError,
)

TENANT_FIX = [
    "missing_scope",
    "not_in_channel",
    "is_archived",
    "restricted_action",
    "cant_invite",
    "cant_kick_self",
    "cant_kick_from_general",
    "user_is_restricted",
    "ura_max_channels",
    "plan_upgrade_required",
    "permission_denied",
    "no_permission",
    "not_allowed_token_type",
    "method_not_supported_for_channel_type",
    "ekm_access_denied",
    "team_access_not_granted",
]
WAIT_FOR_USER = ["user_not_found", "users_not_found", "user_disabled", "org_user_not_in_team", "invitee_cant_see_channel"]
DEAD = ["account_inactive", "token_revoked", "invalid_auth", "not_authed", "token_expired"]


def answered(error: str = "", *, status: int = 200, headers: dict[str, str] | None = None, **more: object) -> SlackApiError:
    data = {"ok": False, "error": error, **more} if error else {}
    response = SimpleNamespace(status_code=status, headers=headers or {}, data=data)
    return SlackApiError("no", response)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("word", TENANT_FIX)
def test_what_the_workspace_must_put_right_stays_open_on_a_revoke_too(word: str) -> None:
    assert type(of_word(word)) is PermissionMissing
    if word != "not_in_channel":
        assert type(of_word(word, granting=False)) is PermissionMissing


@pytest.mark.parametrize("granting", [True, False])
@pytest.mark.parametrize("word", WAIT_FOR_USER)
def test_who_is_not_there_is_waited_for_and_has_nothing_to_lose(word: str, granting: bool) -> None:  # noqa: FBT001
    meaning = of_word(word, granting=granting)

    assert type(meaning) is MemberUnreachable
    assert meaning.remedy is Remedy.MEMBER


@pytest.mark.parametrize("word", DEAD)
def test_a_token_that_is_refused_means_that_we_are_out(word: str) -> None:
    assert type(of_word(word)) is InstallationRevoked


def test_what_is_so_already_is_no_error() -> None:
    assert of_word("already_in_channel") is None
    assert of_word("not_in_channel", granting=False) is None


def test_a_channel_we_cannot_see_is_gone_for_giving_but_never_for_taking() -> None:
    """Somebody may be in it still: a revoke must not be written down as done."""
    assert type(of_word("channel_not_found")) is ResourceMissing
    assert type(of_word("channel_not_found", granting=False)) is PermissionMissing


def test_a_deleted_user_group_is_gone_for_everybody() -> None:
    assert type(of_word("no_such_subteam")) is ResourceMissing
    assert type(of_word("no_such_subteam", granting=False)) is ResourceMissing


def test_a_missing_scope_is_named() -> None:
    meaning = translate(answered("missing_scope", needed="groups:write", provided="chat:write"))

    assert "groups:write" in str(meaning)
    assert "Add it again" in str(meaning)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (answered("ratelimited", status=429, headers={"Retry-After": "37"}), 37.0),
        (answered("ratelimited", status=429, headers={"retry-after": "2"}), 2.0),
        (answered(status=429), 5.0),
        (answered("rate_limited"), 5.0),
        (answered("message_limit_exceeded"), 5.0),
        (answered("team_added_to_org"), 1800.0),
        (answered("org_login_required"), 1800.0),
    ],
)
def test_being_told_to_wait_says_how_long(error: Exception, seconds: float) -> None:
    meaning = translate(error)

    assert isinstance(meaning, RateLimited)
    assert meaning.retry_after == seconds


@pytest.mark.parametrize(
    "error",
    [
        *(answered(word) for word in ("internal_error", "fatal_error", "service_unavailable", "request_timeout")),
        answered(status=500),
        answered("service_unavailable", status=503),
        answered(status=200),
        aiohttp.ServerDisconnectedError(),
        ConnectionResetError(104, "Connection reset by peer"),
        TimeoutError(),
    ],
)
def test_trouble_on_the_way_is_worth_another_try(error: Exception) -> None:
    assert type(translate(error)) is TransientError


@pytest.mark.parametrize("word", ["messages_tab_disabled", "expired_trigger_id", "exchanged_trigger_id", "view_too_large", "a_new_word"])
def test_what_only_the_operator_can_put_right_is_theirs(word: str) -> None:
    meaning = of_word(word)

    assert type(meaning) is PermanentError
    assert meaning.remedy is Remedy.OPERATOR
    assert meaning.code == word


def test_an_error_of_ours_passes_as_it_is() -> None:
    ours: ExternalError = MemberUnreachable("gone", code="user_not_found")

    assert translate(ours) is ours


def test_no_error_repeats_what_slack_sent_beside_its_word() -> None:
    told = translate(answered("invalid_auth", token="xoxb-secret"))

    assert "xoxb" not in str(told)
