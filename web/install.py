"""``/{platform}/install``: bringing us into a space from a page, on platforms that have no other way."""

from typing import Final

from aiohttp import web

from core.causality import Origin, new_cause
from core.ids import PlatformName
from core.platform import Installing
from web.browser import known_or_new, remember
from web.keys import ADAPTERS, IDS, INSTALLS, PUBLIC_URL
from web.pages import label, outside, page, problem, redirect
from web.round_trip import LONGEST, answered, arrive, depart

PURPOSE: Final = "install"


async def leave(request: web.Request) -> web.Response:
    """Send whoever manages a space to the platform, to let us in; with the code of an attach link, into that community."""
    platform, adapter = _platform(request)
    attach = await request.app[INSTALLS].look(request.query.get("attach", "")[:LONGEST])
    browser = known_or_new(request)
    state = await depart(request, browser, platform, PURPOSE, attach)
    response = redirect(outside(adapter.install_url(state, _callback(request, platform))))
    if browser.new:
        remember(request, response, browser)
    return response


async def come_back(request: web.Request) -> web.Response:
    """Take the installation and say what to do next; Refusal for whatever is not the answer to our question."""
    platform, adapter = _platform(request)
    name = label(request.app, platform)
    row = await arrive(request, platform, PURPOSE)
    if "error" in request.query:
        return problem(request, 403, "Nothing was installed", f"{name} was told no. Open the link again whenever you like.")
    made = await adapter.install(answered(request), _callback(request, platform))
    community = await request.app[INSTALLS].arrived(made, row.subject, cause=new_cause(request.app[IDS], Origin.PAGE))
    context = {"space": made.name, "community": community, "name": platform, "platform": name}
    return page(request, "installed.html", context)


def install_path(platform: PlatformName) -> str:
    """Return where :func:`leave` is mounted."""
    return f"/{platform}/install"


def callback_path(platform: PlatformName) -> str:
    """Return where :func:`come_back` is mounted."""
    return f"/{platform}/oauth_redirect"


def _callback(request: web.Request, platform: PlatformName) -> str:
    return f"{request.app[PUBLIC_URL]}{callback_path(platform)}"


def _platform(request: web.Request) -> tuple[PlatformName, Installing]:
    platform = PlatformName(request.path.split("/")[1])
    adapter = request.app[ADAPTERS].get(platform)
    if not isinstance(adapter, Installing):
        raise web.HTTPNotFound
    return platform, adapter
