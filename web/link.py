"""``/link/{code}``: adding another account to a membership, whose code was made with the one."""

from typing import Final

from aiohttp import web

from core.causality import Origin, new_cause
from core.ids import PlatformName
from core.people import Identity
from core.platform import AccountLinking
from storage.states import hashed
from web.browser import known_or_new, own_form, remember
from web.invite import adapter_of, callback_url, sign_in_origin
from web.keys import ADAPTERS, IDS, LINKING
from web.pages import form_page, outside, page, redirect
from web.round_trip import depart

PURPOSE: Final = "link"
_DONE: Final = "/linked"
_NOTES: Final = {
    "linked": ("Your account is linked", "What you paid for is on its way to it. You can close this page."),
    "gift": ("The gift is yours", "It is on its way to your account. You can close this page; /status shows how it stands."),
    "waits": (
        "Your account is being changed",
        "The account you had before is taken out first; then everything comes to the new one. /status shows how it stands.",
    ),
    "denied": ("Nothing was linked", "No harm done. Open your link again whenever you like."),
}


async def show(request: web.Request) -> web.Response:
    """Say whose membership it is, and offer to continue with each platform of its community."""
    offered = await request.app[LINKING].look(request.match_info["code"])
    ways = [platform for platform, _ in offered.ways if isinstance(request.app[ADAPTERS].get(platform), AccountLinking)]
    browser = known_or_new(request)
    context = {
        "offered": offered,
        "others": [platform for platform in ways if platform != offered.platform],
        "same": offered.platform in ways,
        "token": browser.form_token,
        "path": request.path,
    }
    response = form_page(request, "link.html", context, [sign_in_origin(request, platform) for platform in ways])
    if browser.new:
        remember(request, response, browser)
    return response


async def leave(request: web.Request) -> web.Response:
    """Send the browser to the platform; only the code's hash goes along."""
    browser = await own_form(request)
    code, platform = request.match_info["code"], PlatformName(request.match_info["platform"])
    offered = await request.app[LINKING].look(code)
    if platform not in dict(offered.ways):
        raise web.HTTPNotFound
    adapter = adapter_of(request, platform)
    state = await depart(request, browser, platform, PURPOSE, hashed(code))
    return redirect(outside(adapter.authorize_url(state, callback_url(request, platform))))


async def finish(request: web.Request, code: str, who: Identity) -> web.Response:
    """Use the code with this hash up for the account that came back."""
    linked = await request.app[LINKING].redeem_hashed(code, who, cause=new_cause(request.app[IDS], Origin.PAGE))
    return redirect(f"{_DONE}?note={'waits' if linked.waits_for else 'linked'}")


def denied(_code: str) -> str:
    """Return where whoever said no ends; the code itself is not known any more."""
    return f"{_DONE}?note=denied"


async def done(request: web.Request) -> web.Response:
    """Say what became of it."""
    title, text = _NOTES.get(request.query.get("note", ""), _NOTES["linked"])
    return page(request, "linked.html", {"title": title, "text": text})
