"""Stripe's exceptions in the words of core.errors (docs.stripe.com/error-handling)."""

import math
import re
from collections.abc import Mapping
from http import HTTPStatus

import stripe

from core.errors import ExternalError, KeyRefused, PermanentError, RateLimited, TransientError

DEFAULT_WAIT = 1.0
"""Seconds to wait when Stripe says "too many" without saying how long."""
_SECRET = re.compile(r"\b(?:sk|rk|pk|whsec)_[\w*.-]+")
_LONGEST = 300


def translate(error: stripe.StripeError) -> ExternalError:
    """Return what ``error`` means to us. The caller raises it ``from error``."""
    code = _code(error)
    message = _message(error)
    match error:
        case stripe.RateLimitError() if code != "lock_timeout":
            return RateLimited(message, retry_after=_retry_after(error.headers), code=code or "rate_limit")
        case stripe.RateLimitError() | stripe.APIConnectionError():  # a locked object: it alone is busy, nothing else need pause
            return TransientError(message, code=code)
        case stripe.APIError() if _may_pass(error.http_status):
            return TransientError(message, code=code)
        case stripe.AuthenticationError() | stripe.PermissionError():
            return KeyRefused(message, code=code or _kind(error))
        case stripe.IdempotencyError():
            return PermanentError(message, code="idempotency")
        case _:
            return PermanentError(message, code=code or _kind(error))


def _kind(error: stripe.StripeError) -> str:
    """A word for a refusal that Stripe gave no code."""
    if isinstance(error, stripe.AuthenticationError):
        return "authentication"
    if isinstance(error, stripe.PermissionError):
        return "permission"
    return (error.error.type if error.error is not None and "type" in error.error else "") or ""


def _may_pass(status: int | None) -> bool:
    """An unreadable answer, a conflict with a call under way, or their fault; any other refusal stays one."""
    return status is None or status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.CONFLICT or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _code(error: stripe.StripeError) -> str:
    """The SDK leaves ``code`` None on several classes; the answer's own object has it."""
    inner = error.error.code if error.error is not None and "code" in error.error else None
    return inner or error.code or ""


def _message(error: stripe.StripeError) -> str:
    if isinstance(error, stripe.APIConnectionError):
        return "Stripe could not be reached"
    said = _SECRET.sub("…", " ".join((error.user_message or "").split()))[:_LONGEST]
    if isinstance(error, stripe.APIError):  # may quote the whole answer
        said = f"it answered with HTTP status {error.http_status or 'unknown'}"
    request = f" (request {error.request_id})" if error.request_id else ""
    return f"Stripe: {said or 'no reason given'}{request}"


def _retry_after(headers: Mapping[str, str] | None) -> float:
    for name, value in (headers or {}).items():
        if name.lower() == "retry-after":
            try:
                seconds = float(value)
            except ValueError:
                return DEFAULT_WAIT
            return seconds if math.isfinite(seconds) and seconds > 0 else DEFAULT_WAIT
    return DEFAULT_WAIT
