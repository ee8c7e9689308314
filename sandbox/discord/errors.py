"""Discord's refusals: status, code and message, from https://discord.com/developers/docs/topics/opcodes-and-status-codes."""

from typing import Any

Payload = dict[str, Any]

_MEANINGS: dict[int, tuple[int, str]] = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10006: (404, "Unknown Invite"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10026: (404, "Unknown Ban"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20001: (403, "Bots cannot use this endpoint"),
    20012: (403, "You are not authorized to perform this action on this application"),
    30001: (400, "Maximum number of guilds reached (100)"),
    30005: (400, "Maximum number of server roles reached (250)"),
    30016: (400, "Maximum number of invites reached (1000)"),
    30032: (400, "Maximum number of application commands reached (100)"),
    40001: (401, "Unauthorized"),
    40007: (403, "The user is banned from this guild."),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50024: (400, "Cannot execute action on this channel type"),
    50025: (403, "Invalid OAuth2 access token"),
    50027: (401, "Invalid Webhook Token"),
    50028: (400, "Invalid Role"),
    50033: (400, "Invalid Recipient(s)"),
    50055: (400, "Invalid Guild"),
    50109: (400, "The request body contains invalid JSON."),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
    60003: (403, "Two factor is required for this operation"),
}


class RefusedError(Exception):
    """The API says no. ``fault`` marks an answer the vendor's own description does not know."""

    def __init__(self, status: int, code: int, message: str, errors: Payload | None = None, *, fault: bool = False) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.fault = fault

    def payload(self) -> Payload:
        """Return the JSON body."""
        body: Payload = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        return body


def refuse(code: int) -> RefusedError:
    """Return the refusal with Discord's numeric ``code``."""
    status, message = _MEANINGS[code]
    return RefusedError(status, code, message)


def unauthorized() -> RefusedError:
    """Return the answer to a missing or wrong token."""
    return RefusedError(401, 0, "401: Unauthorized")


def invalid(fields: dict[str, tuple[str, str]]) -> RefusedError:
    """Return 50035 for ``fields``: dotted path of the field to (Discord's error name, sentence)."""
    errors: Payload = {}
    for path, (name, sentence) in fields.items():
        spot = errors
        for part in path.split(".") if path else ():
            spot = spot.setdefault(part, {})
        spot.setdefault("_errors", []).append({"code": name, "message": sentence})
    return RefusedError(400, 50035, "Invalid Form Body", errors)
