"""The API's refusals. Shapes and codes: docs.stripe.com/api/errors and docs.stripe.com/error-codes."""

from sandbox.stripe.resource import Json

INVALID = "invalid_request_error"


class ApiError(Exception):
    """An answer other than 200: ``status``, and the ``error`` object with ``type``, ``code``, ``param`` and ``message``."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = INVALID,
        code: str | None = None,
        param: str | None = None,
        extra: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        error: Json = {"message": message, "type": kind}
        if code:
            error |= {"code": code, "doc_url": f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}"}
        if param:
            error["param"] = param
        self.error = error | (extra or {})

    @property
    def body(self) -> Json:
        """What the API answers."""
        return {"error": self.error}


def unknown_parameter(name: str) -> ApiError:
    """Refuse a parameter that this route does not take."""
    return ApiError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def missing_parameter(name: str) -> ApiError:
    """Refuse a request without a required parameter."""
    return ApiError(f"Missing required param: {name}.", code="parameter_missing", param=name)


def no_such(kind: str, identifier: str, param: str = "id") -> ApiError:
    """Refuse an id that this account does not have: 404 when it is in the path, 400 when it is a parameter."""
    noun = kind.rpartition(".")[2].replace("_", " ") if kind != "payment_method" else "PaymentMethod"
    message = f"No such {noun}: '{identifier}'"
    return ApiError(message, status=404 if param == "id" else 400, code="resource_missing", param=param)


def unknown_route(method: str, path: str) -> ApiError:
    """Refuse a method and path the API does not have."""
    return ApiError(
        f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing slash. "
        "If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code.",
        status=404,
    )


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Refuse a request whose parameters do not fit together."""
    return ApiError(message, code=code, param=param)


def masked(key: str) -> str:
    """Show an API key as the vendor does in messages: never whole."""
    return f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 16 else "*" * 8  # noqa: PLR2004 - a short key shows nothing at all


def invalid_key(key: str) -> ApiError:
    """Refuse an unknown or missing API key."""
    if not key:
        return ApiError("You did not provide an API key. Provide it in the Authorization header, using Bearer auth.", status=401)
    return ApiError(f"Invalid API Key provided: {masked(key)}", status=401)


def invalid_version(version: str) -> ApiError:
    """Refuse a ``Stripe-Version`` other than the one this API speaks: of an older one it would not know the shapes."""
    return invalid(f"Invalid Stripe API version: {version}")


def unreadable() -> ApiError:
    """Refuse a body that is no text."""
    return invalid("Invalid request: the body is not valid UTF-8.")


def no_access(key: str, account: str) -> ApiError:
    """Refuse ``Stripe-Account`` for an account this key may not act for."""
    return ApiError(
        f"The provided key '{masked(key)}' does not have access to account '{account}' (or that account does not exist). "
        "Application access may have been revoked.",
        status=403,
        code="account_invalid",
    )
