"""Turning a template and what it shows into an answer, and a no into a page that says what to do next."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aiohttp_jinja2
import jinja2
from aiohttp import web

from core.errors import Refusal
from core.ids import PlatformName
from core.payments import Interval, IntervalUnit
from core.platform import Prefixed, ResourceKind
from web.headers import allow_forms
from web.keys import ADAPTERS, ASSETS

REFUSALS: Final[Mapping[str, tuple[int, str]]] = {
    "invite_unknown": (404, "We don't know this link"),
    "invite_expired": (410, "This link has run out"),
    "invite_used_up": (410, "This link is used up"),
    "invite_revoked": (410, "This link no longer works"),
    "plan_archived": (410, "No longer sold"),
    "plan_broken": (409, "Not for sale right now"),
    "invite_not_yours": (403, "This link is for someone else"),
    "sold_out": (409, "Sold out"),
    "asked_first": (409, "You have asked to be let in"),
    "not_accepted": (403, "Not accepted"),
    "below_floor": (409, "A little more, please"),
    "price_unknown": (409, "The price has changed"),
    "seats_free": (409, "There is a seat for you"),
    "gift_unknown": (404, "We don't know this gift"),
    "gift_taken": (409, "This gift has been taken"),
    "gift_unpaid": (409, "This gift is not paid"),
    "has_for_life": (409, "Yours for life already"),
    "just_given": (409, "One moment"),
    "payment_pending": (409, "Your payment is on its way"),
    "checkout_unsettled": (409, "The checkout did not open"),
    "no_customer": (404, "Nothing to manage yet"),
    "order_unknown": (404, "We don't know this order"),
    "tip_unknown": (404, "We don't know this tip"),
    "bad_state": (400, "That sign-in can't be used"),
    "bad_code": (400, "The sign-in did not work"),
    "attach_code_unknown": (410, "This link no longer works"),
    "has_business": (409, "It stays a community of its own"),
    "link_code_unknown": (410, "This code no longer works"),
    "account_elsewhere": (409, "That account is of another place"),
    "account_taken": (409, "That account has a membership of its own"),
    "change_under_way": (409, "A change is under way"),
    "change_too_soon": (409, "Not yet"),
    "foreign_form": (403, "We stopped that"),
    "no_cookie": (403, "We need one cookie"),
    "no_sign_in": (503, "Sign-in is not available"),
}
"""The status and the heading for each no; an unlisted one is a 409. The sentence under it is the refusal's own."""
_KINDS: Final = {ResourceKind.ROLE: "role", ResourceKind.CHANNEL: "channel", ResourceKind.USER_GROUP: "group"}


def set_up(app: web.Application) -> None:
    """Give the app its templates. Everything shown is escaped; a name that is not there is an error."""
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.PackageLoader("web"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        filters=(("moment", moment), ("terms", terms), ("kind", _KINDS.__getitem__), ("outside", outside)),
    )
    environment.globals["asset"] = app[ASSETS].url
    environment.globals["label"] = lambda platform: label(app, platform)
    environment.globals["typed"] = lambda platform, words: typed(app, platform, words)


def page(request: web.Request, template: str, context: Mapping[str, Any], *, status: int = 200) -> web.Response:
    """Render a page without forms."""
    return aiohttp_jinja2.render_template(template, request, context, status=status)


def form_page(
    request: web.Request, template: str, context: Mapping[str, Any], leads_to: Iterable[str], *, status: int = 200
) -> web.Response:
    """Render a page whose forms end, after our redirect, at one of the origins in ``leads_to``."""
    response = page(request, template, context, status=status)
    allow_forms(response, leads_to)
    return response


def problem(
    request: web.Request, status: int, title: str, text: str, *, reference: str = "", back: str = "", back_label: str = ""
) -> web.Response:
    """Render a page for what did not work. ``back`` is where its button leads, an address of ours."""
    context = {"title": title, "text": text, "reference": reference, "back": back, "back_label": back_label}
    return page(request, "problem.html", context, status=status)


def refused(request: web.Request, refusal: Refusal) -> web.Response:
    """Render a no."""
    status, title = REFUSALS.get(refusal.code, (409, "That does not work"))
    code = request.match_info.get("code", "")
    again = code and status in {403, 409}
    return problem(request, status, title, refusal.message, back=link_path(code) if again else "", back_label="Open your link again")


def redirect(url: str) -> web.Response:
    """Send the browser on with a GET. ``url`` is a path of ours or has passed :func:`outside`."""
    return web.Response(status=303, headers={"Location": url})


def link_path(code: str) -> str:
    """Return our path of a paid invite link."""
    return f"/j/{quote(code, safe='')}"


def welcome_path(order: str) -> str:
    """Return our path of an order's page."""
    return f"/welcome/{quote(order, safe='')}"


def outside(url: str) -> str:
    """Return an address of the outside world as it is; ValueError when following it would not open a page there."""
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("not an address of a page")
    return url


def label(app: web.Application, platform: PlatformName) -> str:
    """Return a platform's name as people write it."""
    adapter = app[ADAPTERS].get(platform)
    return adapter.label if adapter is not None else platform


def moment(at: datetime) -> str:
    """Return a moment in words."""
    return f"{at.astimezone(UTC):%-d %B %Y, %H:%M} UTC"


def terms(interval: Interval) -> str:
    """Return what happens after the first payment, in a sentence."""
    match interval.unit:
        case IntervalUnit.DAYS:
            return f"Paid once for {interval.count} day{'s' if interval.count != 1 else ''}. It does not renew."
        case IntervalUnit.ONCE:
            return "Paid once, yours for life. It does not renew."
        case _:
            return f"Renews every {interval.unit}. Cancel whenever you like; you keep what you paid for."


def typed(app: web.Application, platform: PlatformName, words: str) -> str:
    """Return a command as it is typed on a platform."""
    adapter = app[ADAPTERS].get(platform)
    return f"{adapter.prefix} {words.removeprefix('doorman ')}" if isinstance(adapter, Prefixed) else f"/{words}"
