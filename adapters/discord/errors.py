"""Discord's answers as core.errors: the code decides who must act (discord.com/developers/docs/topics/opcodes-and-status-codes)."""

import aiohttp
import discord

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

NETWORK_ERRORS = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)
"""What a call may raise when it is Discord's or the network's doing, and not a bug of ours."""

MISSING_ACCESS = "50001"
MISSING_PERMISSIONS = "50013"
UNAUTHORIZED = "401"
REPLY_GONE = frozenset({"10015", "10062", "50027"})
"""Unknown webhook, unknown interaction, invalid webhook token: nothing can be said through that interaction (any more)."""
UNKNOWN_INVITE = "10006"
_DEFAULT_WAIT = 5.0
_BAN_WAIT = 600.0
"""A ban for too many invalid requests is counted over ten minutes."""

_SERVER_ERROR = 500
_FORBIDDEN = 403
_TOO_MANY = 429
_OVERLOADED = 130000
_CLOUDFLARE = 40333

_BY_CODE: dict[int, tuple[type[PermanentError], str]] = {
    10003: (ResourceMissing, "That channel does not exist any more. Choose another one."),
    10004: (InstallationRevoked, "The bot is not in that server any more. Add it again."),
    10007: (MemberUnreachable, "They are not in the server."),
    10006: (ResourceMissing, "That invite does not exist any more."),
    10008: (ResourceMissing, "That message does not exist any more."),
    10011: (ResourceMissing, "That role does not exist any more. Choose another one for the plan."),
    10013: (MemberUnreachable, "That Discord account does not exist any more."),
    30001: (MemberUnreachable, "They are in as many servers as Discord allows. They must leave one first."),
    30016: (PermissionMissing, "The server has as many invites as Discord allows. Delete old ones in Server Settings, Invites."),
    40007: (MemberUnreachable, "They are banned from the server."),
    50007: (MemberUnreachable, "Their direct messages are closed."),
    50013: (PermissionMissing, "The bot lacks a permission, or the role stands above the bot's own."),
    50278: (MemberUnreachable, "They share no server with the bot, so it cannot write to them."),
    60003: (
        PermanentError,
        "The account that owns the Discord application needs two-factor authentication. Switch it on for that account.",
    ),
}


def translate(error: Exception, path: str = "") -> ExternalError:
    """Return what ``error``, raised by a call to ``path``, means; the caller raises it ``from error``."""
    match error:
        case ExternalError():
            return error
        case discord.RateLimited():
            return RateLimited("Discord says to wait.", retry_after=error.retry_after, code="429")
        case discord.LoginFailure():
            return _bad_token()
        case discord.HTTPException():
            return from_answer(error.status, error.code, error.text, path, wait=_wait(error))
        case _:
            return TransientError(f"Discord could not be reached ({type(error).__name__}).", code=type(error).__name__)


def from_answer(status: int, code: int, text: str, path: str = "", *, wait: float = 0.0) -> ExternalError:
    """Return what a refused call means. ``wait`` is Retry-After in seconds, 0 when there was none."""
    word = str(code or status)
    if status == _TOO_MANY or code == _CLOUDFLARE:
        patience = _DEFAULT_WAIT if code not in {0, _CLOUDFLARE} else _BAN_WAIT
        return RateLimited("Discord says to wait.", retry_after=wait or patience, code=word)
    if status >= _SERVER_ERROR or code == _OVERLOADED:
        return TransientError(f"Discord is in trouble (HTTP {status}).", code=word)
    return _bad_token() if str(status) == UNAUTHORIZED else _for_good(status, code, text, path)


def _for_good(status: int, code: int, text: str, path: str) -> PermanentError:
    word = str(code or status)
    if word == MISSING_ACCESS:
        return _missing_access(path)
    if code in _BY_CODE:
        kind, message = _BY_CODE[code]
        return kind(message, code=word)
    kind = PermissionMissing if status == _FORBIDDEN else PermanentError
    return kind(f"Discord refused: {text[:200] or status}", code=word)


def _missing_access(path: str) -> PermanentError:
    """On a server it means we are not in it; on a channel, that we may not see that one."""
    if path.startswith("/channels/"):
        return PermissionMissing("The bot may not see that channel. Give it View Channel and Send Messages there.", code=MISSING_ACCESS)
    return InstallationRevoked("The bot is not in that server any more. Add it again.", code=MISSING_ACCESS)


def _bad_token() -> PermanentError:
    message = "Discord refuses the bot's token. Put the one from the Developer Portal into DISCORD_TOKEN and restart."
    return PermanentError(message, code=UNAUTHORIZED)


def _wait(error: discord.HTTPException) -> float:
    try:
        return float(error.response.headers.get("Retry-After", 0))
    except ValueError:
        return 0.0
