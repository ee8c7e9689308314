"""The API on a socket: HTTP in, the model's answer out. All that is decided is decided by the model."""

import base64
import binascii
from email.utils import format_datetime

from aiohttp import web

from sandbox.faults import Fault, FaultKind
from sandbox.stripe.account import API_VERSION
from sandbox.stripe.errors import ApiError, unreadable
from sandbox.stripe.model import Answer, Request, StripeModel

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PREFIX = "/v1/"


def api_routes(model: StripeModel) -> list[web.RouteDef]:
    """Return the routes for the whole API; of its second version there is nothing here, which is said as the first says it."""

    async def handle(request: web.Request) -> web.Response:
        try:
            fields = (await request.read()).decode() or request.query_string
        except UnicodeDecodeError:
            return _respond(model, request, model.refuse(unreadable()))
        answer = model.handle(
            Request(
                method=request.method,
                path=request.rel_url.raw_path,
                fields=fields,
                key=_key(request),
                account=request.headers.get("Stripe-Account") or request.headers.get("Stripe-Context"),
                idempotency_key=request.headers.get("Idempotency-Key"),
                version=request.headers.get("Stripe-Version"),
            )
        )
        return _respond(model, request, answer)

    return [web.route("*", prefix + "{path:.*}", handle) for prefix in (PREFIX, "/v2/")]


def _respond(model: StripeModel, request: web.Request, answer: Answer) -> web.Response:
    headers = {"Request-Id": answer.request_id, "Stripe-Version": API_VERSION}
    headers["Date"] = format_datetime(model.date, usegmt=True)
    if answer.original:
        headers |= {"Idempotent-Replayed": "true", "Original-Request": answer.original}
    if key := request.headers.get("Idempotency-Key"):
        headers["Idempotency-Key"] = key
    return web.Response(text=answer.body, status=answer.status, content_type=JSON, headers=headers)


def _key(request: web.Request) -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def fault_answer(fault: Fault) -> web.Response:
    """Answer as the vendor does when it limits or fails."""
    if fault.kind is FaultKind.RATE_LIMITED:
        error = ApiError(
            "Request rate limit exceeded. Learn more about rate limits here: https://docs.stripe.com/rate-limits.", code="rate_limit"
        )
        return web.json_response(error.body, status=429, headers={"Retry-After": str(max(1, round(fault.retry_after)))})
    error = ApiError("An unknown error occurred. Please try again.", kind="api_error")
    return web.json_response(error.body, status=fault.status)
