"""Is a webhook's body Stripe's, and what is it about? The body is trusted for that much only: the object is fetched afresh."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import stripe

TOLERANCE: Final = 300
"""Seconds a signature's time may lie from ours, either way. The SDK takes any time in the future, and any at all without this."""
_LATEST: Final = 253_402_300_799  # the end of the year 9999, the last a datetime can hold
_LONGEST_HEADER: Final = 4096
_LONGEST_WORD: Final = 255


class BadWebhook(Exception):  # noqa: N818 - what arrived, not what went wrong
    """A request that is not a well-formed event signed with one of our secrets. Neither the message nor a cause quotes it."""


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """What an event's envelope says. ``account`` is empty for our own account, ``api_version`` when Stripe left it out."""

    id: str
    type: str
    object_id: str
    api_version: str
    account: str
    livemode: bool
    created: datetime


def verify(body: bytes, header: str | None, secrets: Sequence[str], now: float) -> ParsedEvent:
    """Return the event in ``body``, signed by ``header`` with one of ``secrets`` within 300 s of ``now`` (real Unix seconds).

    Raises BadWebhook, and nothing else, for whatever else may arrive. While a secret is rolled there are two.
    """
    if not header or len(header) > _LONGEST_HEADER or not header.isascii():
        raise BadWebhook("no readable Stripe-Signature header")
    if not any(secret.strip() and _signed(body, header, secret) for secret in secrets):
        raise BadWebhook("the signature is not one of ours")
    if abs(now - _timestamp(header)) > TOLERANCE:
        raise BadWebhook(f"the signature's time is more than {TOLERANCE} s from ours")
    return _parse(_loads(body))


def _signed(body: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance=TOLERANCE)
    except (stripe.SignatureVerificationError, ValueError, TypeError):  # bodies that are no UTF-8, times no int can hold
        return False
    return True


def _timestamp(header: str) -> int:
    """The same item the SDK takes; the header has passed it."""
    return int(next(item for item in header.split(",") if item.startswith("t=")).split("=", 2)[1])


def _loads(body: bytes) -> dict[str, object]:
    """Raised outside the ``except``, for a decoding error carries the body along."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise BadWebhook("the body is no JSON object")
    return event


def _parse(event: dict[str, object]) -> ParsedEvent:
    if event.get("object") != "event":  # thin events say v2.core.event, and have no object to fetch
        raise BadWebhook("the body is no snapshot event")
    data = event.get("data")
    about = data.get("object") if isinstance(data, dict) else None
    livemode = event.get("livemode")
    if not isinstance(livemode, bool):
        raise BadWebhook("the event has no livemode")
    return ParsedEvent(
        id=_word(event.get("id"), "id"),
        type=_word(event.get("type"), "type"),
        object_id=_word(about.get("id") if isinstance(about, dict) else None, "object id"),
        api_version=_word(event.get("api_version"), "api_version", optional=True),
        account=_word(event.get("account"), "account", optional=True),
        livemode=livemode,
        created=_moment(event.get("created")),
    )


def _word(value: object, name: str, *, optional: bool = False) -> str:
    """Return a plain word a column can hold: databases refuse NUL."""
    if optional and value is None:
        return ""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_WORD or not (value.isascii() and value.isprintable()):
        raise BadWebhook(f"the event has no proper {name}")
    return value


def _moment(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LATEST:
        raise BadWebhook("the event has no proper time")
    return datetime.fromtimestamp(value, UTC)
