"""Slack's refusals: HTTP 200, ``ok`` false and a word, from https://docs.slack.dev/apis/web-api."""

from typing import Any

Payload = dict[str, Any]


class RefusedError(Exception):
    """The API says no. ``more`` is added to the body; ``fault`` marks an answer the vendor's own description does not know."""

    def __init__(self, error: str, *, status: int = 200, fault: bool = False, **more: object) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.fault = fault
        self.more = more

    def payload(self) -> Payload:
        """Return the JSON body."""
        return {"ok": False, "error": self.error, **self.more}


def invalid_arguments(*sentences: str) -> RefusedError:
    """Return the refusal of arguments that are missing or of the wrong form, a sentence each."""
    return RefusedError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {one}" for one in sentences]})
