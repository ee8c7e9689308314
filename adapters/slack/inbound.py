"""Signed requests: one address for events, commands and interactions (https://docs.slack.dev/apis/events-api)."""

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from adapters.slack.dispatch import Answered, Dispatcher
from adapters.slack.signature import ForgedError, Verifier
from core.platform import Inbound

log = logging.getLogger(__name__)

PATH = "/events"
_JSON = "application/json"
_NOT_FOUND, _NOT_ALLOWED, _FORGED, _UNREADABLE, _OK = 404, 405, 401, 400, 200
Response = tuple[int, Mapping[str, str], bytes]


class Reception:
    """Verifies, reads and hands on, in this order: nothing is read of what Slack did not sign. Without a ``verifier`` it is closed."""

    def __init__(self, verifier: Verifier | None, dispatcher: Dispatcher) -> None:
        self._verifier, self._dispatcher = verifier, dispatcher

    async def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, inbound: Inbound) -> Response:
        if path.rstrip("/") != PATH or self._verifier is None:
            return _plain(_NOT_FOUND)
        if method != "POST":
            return _NOT_ALLOWED, {"Allow": "POST"}, b""
        if b"ssl_check=1" in body.split(b"&"):
            return _plain(_OK)  # Slack looks at our certificate, unsigned; nothing is done
        try:
            with self._verifier.genuine(headers, body) as passage:
                fields = read(headers, body)
                if fields is None:
                    return _plain(_UNREADABLE)
                answered = await self._dispatcher.run(fields, inbound)
                passage.settled = answered.settled
                return _written(answered)
        except ForgedError as forged:
            log.info("refused a request that is not Slack's: %s", forged)
            return _plain(_FORGED)


def read(headers: Mapping[str, str], body: bytes) -> dict[str, Any] | None:
    """Return what a genuine request says, whichever way it is written; None when that cannot be told.

    Only a form field named ``payload`` is an interaction: the word may stand anywhere else.
    """
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    try:
        if kind.partition(";")[0].strip().lower() == _JSON:
            fields = json.loads(body)
        else:
            form = dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
            fields = json.loads(form["payload"]) if "payload" in form else form
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _written(answered: Answered) -> Response:
    if answered.body is None:
        return _plain(answered.status)
    return answered.status, {"Content-Type": _JSON}, json.dumps(answered.body).encode()


def _plain(status: int) -> Response:
    return status, {}, b""
