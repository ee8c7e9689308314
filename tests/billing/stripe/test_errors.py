from collections.abc import Callable, Mapping

import pytest
import stripe

from billing.stripe.errors import DEFAULT_WAIT, translate
from core.errors import ExternalError, KeyRefused, PermanentError, RateLimited, Remedy, TransientError


def refusal(
    kind: Callable[..., stripe.StripeError],
    status: int,
    code: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    message: str = "Because",
) -> stripe.StripeError:
    """As the SDK builds them: some classes get the code, the others leave it in the answer."""
    word = "idempotency_error" if kind is stripe.IdempotencyError else "invalid_request_error"
    inner = {"type": word, "message": message, **({"code": code} if code else {})}
    own = {"param": "customer", "code": code or None} if kind in {stripe.CardError, stripe.InvalidRequestError} else {}
    return kind(message, **own, http_status=status, json_body={"error": inner}, headers=dict(headers or {}))


def broken(text: str) -> stripe.StripeError:
    kind: Callable[[str], stripe.StripeError] = stripe.APIConnectionError
    return kind(text)


TABLE = [
    (refusal(stripe.RateLimitError, 429, "rate_limit"), RateLimited, "rate_limit"),
    (refusal(stripe.RateLimitError, 429), RateLimited, "rate_limit"),
    (refusal(stripe.RateLimitError, 429, "lock_timeout"), TransientError, "lock_timeout"),
    (broken("no route"), TransientError, ""),
    (refusal(stripe.APIError, 500), TransientError, ""),
    (refusal(stripe.APIError, 503), TransientError, ""),
    (refusal(stripe.APIError, 409, "lock_timeout"), TransientError, "lock_timeout"),
    (refusal(stripe.APIError, 409, "idempotency_key_in_use"), TransientError, "idempotency_key_in_use"),
    (stripe.APIError("Invalid response body from API: <html>", "<html>", 200), TransientError, ""),
    (refusal(stripe.APIError, 405), PermanentError, "invalid_request_error"),
    (refusal(stripe.AuthenticationError, 401), KeyRefused, "authentication"),
    (refusal(stripe.AuthenticationError, 401, "api_key_expired"), KeyRefused, "api_key_expired"),
    (refusal(stripe.PermissionError, 403, "account_invalid"), KeyRefused, "account_invalid"),
    (refusal(stripe.PermissionError, 403), KeyRefused, "permission"),
    (refusal(stripe.InvalidRequestError, 404, "resource_missing"), PermanentError, "resource_missing"),
    (refusal(stripe.InvalidRequestError, 400, "amount_too_small"), PermanentError, "amount_too_small"),
    (refusal(stripe.InvalidRequestError, 400), PermanentError, "invalid_request_error"),
    (refusal(stripe.IdempotencyError, 400), PermanentError, "idempotency"),
    (refusal(stripe.CardError, 402, "card_declined"), PermanentError, "card_declined"),
    (stripe.StripeError("odd"), PermanentError, ""),
]


@pytest.mark.parametrize(("error", "kind", "code"), TABLE, ids=[f"{type(row[0]).__name__}-{row[2]}" for row in TABLE])
def test_each_refusal_says_when_to_try_again(error: stripe.StripeError, kind: type[ExternalError], code: str) -> None:
    said = translate(error)

    assert type(said) is kind
    assert said.code == code


def test_a_refused_key_is_for_the_operator_to_mend() -> None:
    said = translate(refusal(stripe.AuthenticationError, 401))

    assert isinstance(said, PermanentError)
    assert said.remedy is Remedy.OPERATOR


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({}, DEFAULT_WAIT),
        ({"Retry-After": "soon"}, DEFAULT_WAIT),
        ({"Retry-After": "-3"}, DEFAULT_WAIT),
        ({"Retry-After": "nan"}, DEFAULT_WAIT),
        ({"Retry-After": "inf"}, DEFAULT_WAIT),
    ],
)
def test_it_waits_as_long_as_it_is_told_to(headers: dict[str, str], seconds: float) -> None:
    said = translate(refusal(stripe.RateLimitError, 429, headers=headers))

    assert isinstance(said, RateLimited)
    assert said.retry_after == seconds


@pytest.mark.parametrize("key", ["sk_live_51abcDEF", "rk_test_9", "whsec_a1b2", "sk_test_********1234", "pk_live_x"])
def test_no_message_carries_a_key(key: str) -> None:
    quoted = f"Invalid API Key provided: {key}"

    assert key not in str(translate(refusal(stripe.AuthenticationError, 401, message=quoted)))
    assert key not in str(translate(refusal(stripe.APIError, 500, message=quoted)))


def test_a_message_names_the_request_for_whoever_asks_stripe() -> None:
    assert "req_123" in str(translate(refusal(stripe.APIError, 500, headers={"request-id": "req_123"})))


def test_an_unreadable_answer_is_not_quoted() -> None:
    assert "<html>" not in str(translate(stripe.APIError("Invalid response body from API: <html>", "<html>", 502)))
