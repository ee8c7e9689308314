"""Every answer Discord can give has a class that says when to try again and who must act."""

from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord
import pytest

from adapters.discord.errors import translate
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


def refused(status: int, code: int = 0, text: str = "no", *, wait: str = "") -> discord.HTTPException:
    response = cast("Any", SimpleNamespace(status=status, reason="No", headers={"Retry-After": wait} if wait else {}))
    body = {"code": code, "message": text} if code else text
    kinds = {403: discord.Forbidden, 404: discord.NotFound, 503: discord.DiscordServerError}
    return kinds.get(status, discord.HTTPException)(response, body)


ROLE_PATH = "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"
CHANNEL_PATH = "/channels/{channel_id}/messages"


@pytest.mark.parametrize(
    ("error", "path", "kind", "code", "remedy"),
    [
        (refused(403, 50013), ROLE_PATH, PermissionMissing, "50013", Remedy.CREATOR),
        (refused(403, 50001), ROLE_PATH, InstallationRevoked, "50001", Remedy.CREATOR),
        (refused(403, 50001), CHANNEL_PATH, PermissionMissing, "50001", Remedy.CREATOR),
        (refused(404, 10004), ROLE_PATH, InstallationRevoked, "10004", Remedy.CREATOR),
        (refused(404, 10007), ROLE_PATH, MemberUnreachable, "10007", Remedy.MEMBER),
        (refused(404, 10013), ROLE_PATH, MemberUnreachable, "10013", Remedy.MEMBER),
        (refused(403, 40007), ROLE_PATH, MemberUnreachable, "40007", Remedy.MEMBER),
        (refused(403, 50007), CHANNEL_PATH, MemberUnreachable, "50007", Remedy.MEMBER),
        (refused(403, 50278), CHANNEL_PATH, MemberUnreachable, "50278", Remedy.MEMBER),
        (refused(400, 30001), ROLE_PATH, MemberUnreachable, "30001", Remedy.MEMBER),
        (refused(404, 10011), ROLE_PATH, ResourceMissing, "10011", Remedy.CREATOR),
        (refused(404, 10003), CHANNEL_PATH, ResourceMissing, "10003", Remedy.CREATOR),
        (refused(404, 10008), CHANNEL_PATH, ResourceMissing, "10008", Remedy.CREATOR),
        (refused(400, 30016), CHANNEL_PATH, PermissionMissing, "30016", Remedy.CREATOR),
        (refused(403, 60003), ROLE_PATH, PermanentError, "60003", Remedy.OPERATOR),
        (refused(401), ROLE_PATH, PermanentError, "401", Remedy.OPERATOR),
        (discord.LoginFailure("Improper token"), "", PermanentError, "401", Remedy.OPERATOR),
        (refused(400, 50035, "Invalid Form Body"), CHANNEL_PATH, PermanentError, "50035", Remedy.OPERATOR),
        (refused(404), "/unknown", PermanentError, "404", Remedy.OPERATOR),
        (refused(403, 99999, "New rule"), ROLE_PATH, PermissionMissing, "99999", Remedy.CREATOR),
    ],
)
def test_what_fails_for_good_names_who_must_act(error: Exception, path: str, kind: type[PermanentError], code: str, remedy: Remedy) -> None:
    meaning = translate(error, path)

    assert type(meaning) is kind
    assert meaning.code == code
    assert isinstance(meaning, PermanentError)
    assert meaning.remedy is remedy


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (refused(429, 20028, wait="3.5"), 3.5),
        (refused(429, 20028), 5.0),
        (refused(429, text="<html>banned</html>"), 600.0),
        (refused(429, text="<html>banned</html>", wait="77"), 77.0),
        (refused(403, 40333), 600.0),
        (discord.RateLimited(31.0), 31.0),
    ],
)
def test_being_told_to_wait_says_how_long(error: Exception, seconds: float) -> None:
    meaning = translate(error)

    assert isinstance(meaning, RateLimited)
    assert meaning.retry_after == seconds


@pytest.mark.parametrize(
    "error",
    [
        refused(500),
        refused(502),
        refused(503),
        refused(524),
        refused(503, 130000),
        refused(400, 130000),
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError("cut short"),
        ConnectionResetError(104, "Connection reset by peer"),
        ConnectionRefusedError(111, "Connection refused"),
        TimeoutError(),
        discord.InvalidData("what is this"),
    ],
)
def test_trouble_on_the_way_is_worth_another_try(error: Exception) -> None:
    meaning = translate(error)

    assert type(meaning) is TransientError


def test_an_error_of_ours_passes_as_it_is() -> None:
    ours: ExternalError = MemberUnreachable("gone", code="10007")

    assert translate(ours) is ours


def test_a_message_never_repeats_more_than_a_line_of_what_discord_said() -> None:
    assert len(str(translate(refused(400, 50035, "x" * 5000)))) < 300
