"""``/gift/{code}``: a membership somebody gives, for whoever opens its link first; ``/given/{gift}``: how it stands, for its giver."""

from typing import Final

from aiohttp import web

from core.causality import Origin, new_cause
from core.ids import GiftId, PlatformName
from core.people import Identity
from core.platform import AccountLinking
from storage.states import hashed
from web.browser import known_or_new, own_form, remember
from web.invite import adapter_of, callback_url, sign_in_origin
from web.keys import ADAPTERS, GIFTS, IDS
from web.pages import form_page, outside, page, redirect
from web.ports import GiftView
from web.round_trip import depart

PURPOSE: Final = "gift"
_PAUSES: Final = (1, 1, 2, 2, 3, 5, 5, 10)


async def show(request: web.Request) -> web.Response:
    """Say who gives what, with the ways to say who one is."""
    gift = await request.app[GIFTS].look(request.match_info["code"])
    ways = _ways(request, gift) if gift.status == "paid" else []
    browser = known_or_new(request)
    context = {"gift": gift, "ways": ways, "token": browser.form_token, "path": request.path}
    response = form_page(request, "gift.html", context, [sign_in_origin(request, platform) for platform in ways])
    if browser.new:
        remember(request, response, browser)
    return response


async def leave(request: web.Request) -> web.Response:
    """Send the browser to the platform; only the code's hash goes along."""
    browser = await own_form(request)
    code, platform = request.match_info["code"], PlatformName(request.match_info["platform"])
    gift = await request.app[GIFTS].look(code)
    if platform not in _ways(request, gift):
        raise web.HTTPNotFound
    state = await depart(request, browser, platform, PURPOSE, hashed(code))
    return redirect(outside(adapter_of(request, platform).authorize_url(state, callback_url(request, platform))))


async def finish(request: web.Request, code: str, who: Identity) -> web.Response:
    """Have the account that came back take the gift whose code has this hash."""
    await request.app[GIFTS].take(code, who, cause=new_cause(request.app[IDS], Origin.PAGE))
    return redirect("/linked?note=gift")


def denied(_code: str) -> str:
    """Return where whoever said no ends."""
    return "/linked?note=denied"


async def given(request: web.Request) -> web.Response:
    """Tell the giver how their gift stands, again until it is paid."""
    gift = await request.app[GIFTS].given(GiftId(request.match_info["gift"]))
    response = page(request, "given.html", {"gift": gift})
    look = request.query.get("look", "")
    looks = int(look) if look.isascii() and look.isdigit() and len(look) == 1 else 0
    if gift.status in {"open", "pending"} and looks < len(_PAUSES):
        response.headers["Refresh"] = f"{_PAUSES[looks]}; url={request.path}?look={looks + 1}"
    return response


def _ways(request: web.Request, gift: GiftView) -> list[PlatformName]:
    """Return where whoever takes it can say who they are."""
    return [name for name in gift.platforms if isinstance(request.app[ADAPTERS].get(name), AccountLinking)]
