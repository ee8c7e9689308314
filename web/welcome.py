"""Where the payment page sends people back to. These pages tell; they never let anybody in."""

from typing import Any, Final

from aiohttp import web

from core.ids import OrderId, PlatformName, TipId
from core.people import Identity
from core.platform import AccountLinking
from web.browser import known_or_new, proven
from web.headers import allow_forms
from web.invite import adapter_of, sign_in_origin
from web.keys import ADAPTERS, STATUSES, TIPS
from web.pages import page
from web.ports import Welcome

_PAUSES: Final = (1, 1, 2, 2, 3, 5, 5, 10, 10, 20, 30)
"""Seconds between looks, slower the longer it takes."""
_LOOKS: Final = 60


async def show(request: web.Request) -> web.Response:
    """Show how an order stands, again and again until they are inside."""
    order = request.match_info["order"]
    welcome = await request.app[STATUSES].of_order(OrderId(order))
    looks = _looks(request)
    moves = _moves(welcome)
    updating = moves and looks < _LOOKS and "still" not in request.query
    browser = known_or_new(request)
    own = bool(welcome.ways) and _same(welcome.payer, await proven(request, browser))
    ways = _sign_ins(request, welcome) if own else []
    context: dict[str, Any] = {
        "welcome": welcome,
        "doors": _doors(request, welcome),
        "places": places(welcome),
        "updating": updating,
        "moves": moves,
        "stands": _stands(welcome),
        "own": own,
        "sign_ins": ways,
        "open_to_all": {name for name in _sign_ins(request, welcome) if adapter_of(request, name).strangers_sign_in},
        "path": request.path,
        "token": browser.form_token,
    }
    response = page(request, "welcome.html", context)
    if own:
        allow_forms(response, [sign_in_origin(request, platform) for platform in ways])
    if updating:  # a header, not a script: it works everywhere
        pause = _PAUSES[min(looks, len(_PAUSES) - 1)]
        response.headers["Refresh"] = f"{pause}; url={request.path}?look={looks + 1}"
    return response


async def thank(request: web.Request) -> web.Response:
    """Show how a tip stands."""
    tip = await request.app[TIPS].look(TipId(request.match_info["tip"]))
    response = page(request, "tip.html", {"tip": tip})
    looks = _looks(request)
    if tip.state in {"open", "pending"} and looks < len(_PAUSES):
        response.headers["Refresh"] = f"{_PAUSES[looks]}; url={request.path}?look={looks + 1}"
    return response


def places(welcome: Welcome) -> list[PlatformName]:
    """Return the platforms where what was paid for is, and where they may type to us."""
    return list(dict.fromkeys([*(platform for platform, _ in welcome.spaces), *(way.platform for way in welcome.ways)]))


def _moves(welcome: Welcome) -> bool:
    """Whether there is anything to wait for."""
    return not welcome.inside and welcome.state not in {"failed", "expired", "ended", "on_hold"} and not _stands(welcome)


def _stands(welcome: Welcome) -> bool:
    """Whether it waits for the payer to come in with an account and show it: nothing is wanted for anybody yet."""
    return welcome.paid and welcome.state == "paid" and bool(welcome.ways) and not welcome.spaces


def _sign_ins(request: web.Request, welcome: Welcome) -> list[PlatformName]:
    """Return where an account can be proven that is still missing."""
    names = dict.fromkeys(way.platform for way in welcome.ways)
    return [name for name in names if isinstance(request.app[ADAPTERS].get(name), AccountLinking)]


def _same(payer: Identity, who: Identity | None) -> bool:
    return who is not None and (who.platform, who.realm, who.user) == (payer.platform, payer.realm, payer.user)


def _doors(request: web.Request, welcome: Welcome) -> list[tuple[str, str]]:
    """Return the label and the address of each space they can go to now."""
    adapters = request.app[ADAPTERS]
    return [(adapters[platform].label, adapters[platform].space_url(space)) for platform, space in welcome.spaces if platform in adapters]


def _looks(request: web.Request) -> int:
    look = request.query.get("look", "")
    return min(int(look), _LOOKS) if look.isascii() and look.isdigit() and len(look) <= len(str(_LOOKS)) else 0
