"""``/j/{code}``: what a paid invite link offers, and who takes it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from aiohttp import web

from core.errors import Refusal
from core.people import Identity
from core.platform import AccountLinking
from web.browser import Browser, known_or_new, proven, remember
from web.headers import checkout_origins, origin_of
from web.keys import ADAPTERS, INVITES, PUBLIC_URL
from web.pages import form_page
from web.ports import Offer

NOTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "denied": "No harm done: nothing was linked and nothing was charged. Continue whenever you like.",
        "again": "That took a while, so please sign in once more. Nothing was charged.",
    }
)
"""What a page may be asked to say on top, by name: never a text from outside."""


async def show(request: web.Request) -> web.Response:
    """Show the offer, with a button to sign in; or, once we know who it is for, to pay."""
    offer = await request.app[INVITES].look(request.match_info["code"])
    browser = known_or_new(request)
    who = offer.bound or await proven(request, browser, offer.platform)
    response = offer_page(request, offer, browser, who)
    if browser.new:
        remember(request, response, browser)
    return response


def offer_page(request: web.Request, offer: Offer, browser: Browser, who: Identity | None) -> web.Response:
    """Render the offer for a browser that is ``who``, or nobody yet."""
    note = NOTES.get(request.query.get("note", ""), "")
    context: dict[str, Any] = {"offer": offer, "who": who, "token": browser.form_token, "note": note}
    if who is None:
        origins = [sign_in_origin(request, offer)]
    else:
        origins = [*checkout_origins(request.app[PUBLIC_URL])]
        if offer.bound is None:
            origins.append(sign_in_origin(request, offer))
    return form_page(request, "offer.html", context, origins)


def linking(request: web.Request, offer: Offer) -> AccountLinking:
    """Return who can prove accounts on the offer's platform; Refusal ``no_sign_in`` when nobody can now."""
    adapter = request.app[ADAPTERS].get(offer.platform)
    if not isinstance(adapter, AccountLinking):
        raise Refusal("no_sign_in", "We can't ask who you are right now. Nothing was charged; please try again later.")
    return adapter


def sign_in_origin(request: web.Request, offer: Offer) -> str:
    """Return where signing in leads."""
    return origin_of(linking(request, offer).authorize_url("state", callback_url(request, offer.platform)))


def callback_url(request: web.Request, platform: str) -> str:
    """Return where a platform sends the browser back to: one path per platform, so that none can pass for another."""
    return f"{request.app[PUBLIC_URL]}/oauth/{platform}/callback"
