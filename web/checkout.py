"""From the offer to the payment page, and for those who have paid before, to the page where they manage it."""

from types import MappingProxyType
from typing import Final

from aiohttp import web

from core.causality import Origin, new_cause
from core.errors import Refusal
from core.ids import PriceId
from core.money import Money, parse_money
from core.people import Identity
from web.browser import Browser, own_form, proven
from web.headers import checkout_origins
from web.invite import payer, platforms, sign_in_origin
from web.keys import CHECKOUTS, IDS, INVITES, PUBLIC_URL, WAITLIST
from web.pages import form_page, link_path, outside, page, redirect
from web.ports import Offer

SOLD_OUT: Final = "sold_out"
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
    price, amount = await _chosen(request, offer)
    try:
        started = await request.app[CHECKOUTS].start(code, who, cause=new_cause(request.app[IDS], Origin.PAGE), price=price, amount=amount)
    except Refusal as refusal:
        if refusal.code == SOLD_OUT:
            return form_page(
                request, "sold_out.html", {"offer": offer, "text": refusal.message, "token": browser.form_token}, [], status=409
            )
        if refusal.code not in _PAID_BEFORE:
            raise
        return await _already_in(request, offer, browser, who, refusal)
    return redirect(outside(started.url))


async def wait(request: web.Request) -> web.Response:
    """Put whoever would pay in line for a seat."""
    browser = await own_form(request)
    code = request.match_info["code"]
    offer = await request.app[INVITES].look(code)
    who = await payer(request, offer, browser)
    if who is None:
        return redirect(f"{link_path(code)}?note=again")
    inline = await request.app[WAITLIST].join_through(code, who, cause=new_cause(request.app[IDS], Origin.PAGE))
    return page(request, "in_line.html", {"offer": offer, "inline": inline})


async def _chosen(request: web.Request, offer: Offer) -> tuple[PriceId | None, Money | None]:
    """Return the price that was chosen on the page, and the amount where the payer chooses it. Refusal ``bad_amount``."""
    form = await request.post()
    price, typed = form.get("price"), form.get("amount")
    chosen = next((one for one in offer.plan.prices if one.id == price), None)
    if chosen is None or chosen.floor is None or not isinstance(typed, str) or not typed.strip():
        return PriceId(price) if isinstance(price, str) and price else None, None
    return chosen.id, parse_money(typed, chosen.money.currency)


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
