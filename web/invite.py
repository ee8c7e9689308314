"""``/j/{code}``: what a paid invite link offers, and who takes it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from aiohttp import web

from core.errors import Refusal
from core.ids import PlatformName
from core.people import GUEST, Identity
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
    """Show the offer, with the ways to say who one is; or, once we know who it is for, to pay."""
    offer = await request.app[INVITES].look(request.match_info["code"])
    browser = known_or_new(request)
    response = offer_page(request, offer, browser, await payer(request, offer, browser))
    if browser.new:
        remember(request, response, browser)
    return response


def offer_page(request: web.Request, offer: Offer, browser: Browser, who: Identity | None) -> web.Response:
    """Render the offer for a browser that is ``who``, or nobody yet."""
    ways = platforms(request, offer)
    if who is None and not ways:
        raise _no_sign_in()
    context: dict[str, Any] = {
        "offer": offer,
        "who": who,
        "guest": who is not None and who.platform == GUEST,
        "guests": takes_guests(request, offer),
        "ways": ways,
        "token": browser.form_token,
        "note": NOTES.get(request.query.get("note", ""), ""),
    }
    origins = [] if who is None else [*checkout_origins(request.app[PUBLIC_URL])]
    if offer.bound is None:
        origins += [sign_in_origin(request, platform) for platform in ways]
    return form_page(request, "offer.html", context, origins)


async def payer(request: web.Request, offer: Offer, browser: Browser | None) -> Identity | None:
    """Return for whom the offer would be paid: whom it is bound to, else who the browser speaks for where that may be."""
    guests = [GUEST] if takes_guests(request, offer) else []
    return offer.bound or await proven(request, browser, *platforms(request, offer), *guests)


def platforms(request: web.Request, offer: Offer) -> list[PlatformName]:
    """Return where an account can be proven that an offer is for, the offer's own platform first."""
    places = [offer.platform, *(resource.platform for resource in offer.plan.resources if offer.bound is None)]
    return [name for name in dict.fromkeys(places) if isinstance(request.app[ADAPTERS].get(name), AccountLinking)]


def takes_guests(request: web.Request, offer: Offer) -> bool:
    """Say whether there is somewhere one can only prove an account once inside: then one pays first."""
    adapters = [adapter_of(request, name) for name in platforms(request, offer)]
    return offer.bound is None and not all(adapter.strangers_sign_in for adapter in adapters)


def adapter_of(request: web.Request, platform: PlatformName) -> AccountLinking:
    """Return who can prove accounts on a platform; Refusal ``no_sign_in`` when nobody can now."""
    adapter = request.app[ADAPTERS].get(platform)
    if not isinstance(adapter, AccountLinking):
        raise _no_sign_in()
    return adapter


def sign_in_origin(request: web.Request, platform: PlatformName) -> str:
    """Return where signing in on a platform leads."""
    return origin_of(adapter_of(request, platform).authorize_url("state", callback_url(request, platform)))


def callback_url(request: web.Request, platform: str) -> str:
    """Return where a platform sends the browser back to: one path per platform, so that none can pass for another."""
    return f"{request.app[PUBLIC_URL]}/oauth/{platform}/callback"


def _no_sign_in() -> Refusal:
    return Refusal("no_sign_in", "We can't ask who you are right now. Nothing was charged; please try again later.")
