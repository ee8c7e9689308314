"""Around every request: count and log it, turn what went wrong into a page, slow down the impatient, refuse what cannot be."""

import asyncio
import logging
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from core.errors import ExternalError, Refusal, TransientError
from web.keys import BUCKETS, COUNTERS, IDS
from web.limits import visitor
from web.metrics import method_of, route_of
from web.pages import problem, refused

_log = logging.getLogger(__name__)
_LIMITED: Final = ("/j/", "/oauth/", "/link/")
_LIMITED_ENDS: Final = ("/install", "/oauth_redirect")
_MACHINES: Final = ("/webhooks/", "/healthz", "/readyz", "/metrics")
LONGEST_PART: Final = 200
"""Characters of a name within an address; ours have a quarter of them."""
BODY_TIMEOUT: Final = 15
"""Real seconds a body may take to arrive."""
_ERRORS: Final = {
    404: ("There is nothing here", "The address may be cut off. Open the link you were given once more."),
    405: ("That does not work here", "Go back and use the buttons on the page."),
    408: ("That took too long", "Your request did not arrive in full. Please try again."),
    413: ("That is too much", "What was sent is larger than anything we take."),
    429: ("One moment, please", "Too many requests came from your network. Wait a little and try again."),
    500: ("That was our mistake", "Something here broke. Please try again; if you have paid, your payment is safe and nothing is lost."),
    502: ("We could not get an answer", "Whoever we had to ask said no. Nothing was charged. Please try again later."),
    503: ("We could not get an answer", "Whoever we had to ask did not reply. Nothing was charged. Please try again in a minute."),
}


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log and count, by the route's pattern: paths and queries hold codes and states."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    response = await handler(request)
    method, route = method_of(request), route_of(request)
    request.app[COUNTERS].count(method, route, response.status)
    _log.info("%s %s %d %.1f ms", method, route, response.status, (loop.time() - began) * 1000)
    return response


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every no and every failure; a failure gets a reference that the log has too."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return refused(request, refusal)
    except web.HTTPException as answer:
        return _failed(request, answer.status, answer)
    except TransientError as error:
        return _failed(request, 503, error)
    except ExternalError as error:
        return _failed(request, 502, error)
    except Exception as error:  # noqa: BLE001 - the edge: logged with its traceback, and told with the reference
        return _failed(request, 500, error)


@web.middleware
async def pace(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse the impatient on the routes that cost something."""
    costs = request.path.startswith(_LIMITED) or request.path.endswith(_LIMITED_ENDS)
    who = visitor(request) if costs else None
    wait = request.app[BUCKETS].take(who) if who is not None else 0.0
    if wait > 0:
        response = _failed(request, 429, None)
        response.headers["Retry-After"] = str(int(wait) + 1)
        return response
    if request.can_read_body:
        await _read(request)
    return await handler(request)


@web.middleware
async def spelled(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find nothing under what no address of ours is spelled like: a database need not even be able to hold it."""
    parts = request.match_info.values()
    if any(len(part) > LONGEST_PART or not (part.isascii() and part.isprintable()) for part in parts):
        raise web.HTTPNotFound
    return await handler(request)


async def _read(request: web.Request) -> None:
    """Take the whole body in, so that no handler waits for a slow sender."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, ConnectionError):
        raise web.HTTPBadRequest from None


def _failed(request: web.Request, status: int, error: Exception | None) -> web.Response:
    reference = request.app[IDS].new()
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s %s failed with %d, reference %s", method_of(request), route_of(request), status, reference, exc_info=error)
    else:
        _log.info("%s %s answered %d, reference %s", method_of(request), route_of(request), status, reference)
    title, text = _ERRORS.get(status, ("That does not work", "Go back and try again."))
    if request.path.startswith(_MACHINES):
        response = web.Response(status=status, text=f"{title} (reference {reference})\n")
    else:
        response = problem(request, status, title, text, reference=reference)
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "30"
    return response
