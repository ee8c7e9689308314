"""From the offer to the payment page, and for those who have paid before, to the page where they manage it."""

from types import MappingProxyType
from typing import Final

from aiohttp import web

from core.causality import Origin, new_cause
from core.errors import Refusal
from core.people import Identity
from web.browser import Browser, own_form, proven
from web.headers import checkout_origins
from web.invite import payer, platforms, sign_in_origin
from web.keys import CHECKOUTS, IDS, INVITES, PUBLIC_URL
from web.pages import form_page, link_path, outside, redirect
from web.ports import Offer

_PAID_BEFORE: Final = MappingProxyType({"already_member": "You are already in", "payment_waiting": "A payment is waiting for you"})
"""Refusals whose way on is the portal, and the heading of their page."""


async def pay(request: web.Request) -> web.Response:
    """Open a checkout, or find the open one again, and go there."""
    browser = await own_form(request)
    code = request.match_info["code"]
    offer = await request.app[INVITES].look(code)
    who = await payer(request, offer, browser)
    if who is None:
        return redirect(f"{link_path(code)}?note=again")
    try:
        started = await request.app[CHECKOUTS].start(code, who, cause=new_cause(request.app[IDS], Origin.PAGE))
    except Refusal as refusal:
        if refusal.code not in _PAID_BEFORE:
            raise
        return await _already_in(request, offer, browser, who, refusal)
    return redirect(outside(started.url))


async def manage(request: web.Request) -> web.Response:
    """Go to the processor's portal. A link bound to somebody proves nothing about who opened it: only signing in does."""
    browser = await own_form(request)
    code = request.match_info["code"]
    offer = await request.app[INVITES].look(code)
    who = await proven(request, browser)
    if who is None:
        return redirect(f"{link_path(code)}?note=again")
    back = f"{request.app[PUBLIC_URL]}{link_path(code)}"
    return redirect(outside(await request.app[CHECKOUTS].portal(offer.community_id, who, back)))


async def _already_in(request: web.Request, offer: Offer, browser: Browser, who: Identity, refusal: Refusal) -> web.Response:
    """Say so; with the way to the portal for the person, and for anybody else the way to prove to be that person."""
    person = await proven(request, browser)
    same = person is not None and (person.platform, person.realm, person.user) == (who.platform, who.realm, who.user)
    origins = [*checkout_origins(request.app[PUBLIC_URL]), *(sign_in_origin(request, one) for one in platforms(request, offer))]
    context = {
        "offer": offer,
        "who": who,
        "same": same,
        "title": _PAID_BEFORE[refusal.code],
        "text": refusal.message,
        "token": browser.form_token,
    }
    return form_page(request, "already.html", context, origins, status=409)
