"""Paying before one has an account: the browser that paid is the proof, until an account takes its place."""

from typing import Final

from aiohttp import web

from core.causality import Origin, new_cause
from core.errors import Refusal
from core.ids import OrderId, PlatformName, PlatformUserId
from core.people import GUEST, Identity
from web.browser import GUEST_LIFE, Browser, known, own_form, prove, proven, remember
from web.invite import adapter_of, callback_url, takes_guests
from web.keys import IDS, INVITES, LINKING, STATUSES
from web.pages import link_path, outside, page, redirect, welcome_path
from web.round_trip import depart

PURPOSE: Final = "claim"
_NAME: Final = "Guest"


async def become(request: web.Request) -> web.Response:
    """Make the browser a guest, and go on with the offer; one that is somebody already stays who it is."""
    browser = await own_form(request)
    code = request.match_info["code"]
    offer = await request.app[INVITES].look(code)
    if not takes_guests(request, offer):
        raise web.HTTPNotFound
    response = redirect(link_path(code))
    if await proven(request, browser, GUEST) is None:
        who = Identity(GUEST, "", PlatformUserId(request.app[IDS].new()), _NAME)
        remember(request, response, await prove(request, browser, who, GUEST_LIFE), GUEST_LIFE)
    return response


async def leave(request: web.Request) -> web.Response:
    """Send the browser that paid to a platform, to come back with the account that shall be let in."""
    browser = await own_form(request)
    await _payer(request, browser)
    platform = PlatformName(request.match_info["platform"])
    adapter = adapter_of(request, platform)
    state = await depart(request, browser, platform, PURPOSE, request.match_info["order"])
    return redirect(outside(adapter.authorize_url(state, callback_url(request, platform))))


async def finish(request: web.Request, order: str, new: Identity) -> web.Response:
    """Let the account that came back have what the browser paid for."""
    who = await _payer(request, known(request))
    await request.app[LINKING].link_order(OrderId(order), who, new, cause=new_cause(request.app[IDS], Origin.PAGE))
    return redirect(welcome_path(order))


def denied(order: str) -> str:
    """Return where whoever said no ends."""
    return welcome_path(order)


async def claim(request: web.Request) -> web.Response:
    """Show the browser that paid a code to be given inside, where it cannot sign in itself."""
    who = await _payer(request, await own_form(request))
    order = request.match_info["order"]
    made = await request.app[LINKING].claim(OrderId(order), who, cause=new_cause(request.app[IDS], Origin.PAGE))
    ways = (await request.app[STATUSES].of_order(OrderId(order))).ways
    context = {"made": made, "places": list(dict.fromkeys(way.platform for way in ways)), "back": welcome_path(order)}
    return page(request, "claim.html", context)


async def _payer(request: web.Request, browser: Browser | None) -> Identity:
    who = await proven(request, browser)
    if who is None:
        raise Refusal("order_unknown", "This browser has not paid, or too long ago. Open the order's page in the one you paid with.")
    return who
