"""Signing in with a platform: off to it with a state nobody can guess, and back with an account proven there."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import web

from core.causality import Origin, new_cause
from core.errors import Refusal
from core.ids import PlatformName
from core.people import GUEST, Identity
from core.platform import AccountLinking, LinkedAccount
from storage import retrying
from storage.audit import Trail
from web import gift, guest, link
from web.browser import known, own_form, prove, proven, remember
from web.invite import adapter_of, callback_url, platforms
from web.keys import ADAPTERS, CLOCK, CREDENTIALS, DATABASE, IDS, INVITES, LINKING
from web.pages import link_path, outside, redirect
from web.round_trip import answered, arrive, depart

PURPOSE: Final = "join"
"""What the round trip of an offer is for, and under which name the token that brings them in is kept."""
_End = Callable[[web.Request, str, Identity], Awaitable[web.Response]]


async def leave(request: web.Request) -> web.Response:
    """Send the browser to the platform to sign in; used again, to sign in as somebody else."""
    browser = await own_form(request)
    offer = await request.app[INVITES].look(request.match_info["code"])
    platform = PlatformName(request.match_info.get("platform", offer.platform))
    if platform not in platforms(request, offer):
        raise web.HTTPNotFound
    adapter = adapter_of(request, platform)
    state = await depart(request, browser, platform, PURPOSE, offer.invite.code)
    return redirect(outside(adapter.authorize_url(state, callback_url(request, platform))))


async def come_back(request: web.Request) -> web.Response:
    """Take the browser back, with its account proven; Refusal for whatever is not the answer to our question."""
    platform = PlatformName(request.match_info["platform"])
    adapter = request.app[ADAPTERS].get(platform)
    if not isinstance(adapter, AccountLinking):
        raise web.HTTPNotFound
    row = await arrive(request, platform, *_ENDS)
    denied, end = _ENDS[row.purpose]
    if "error" in request.query:
        return redirect(denied(row.subject))
    account = await adapter.exchange(answered(request), callback_url(request, platform))
    who = Identity(platform, account.realm, account.user, account.name)
    await _keep_token(request, account, who)
    return await end(request, row.subject, who)


async def _joined(request: web.Request, code: str, who: Identity) -> web.Response:
    """Go on with the offer, with a new cookie. A guest who paid before is this person now: nothing they have may be left behind."""
    browser = known(request)
    before = await proven(request, browser, GUEST)
    if before is not None:
        offer = await request.app[INVITES].look(code)
        try:
            await request.app[LINKING].link(offer.community_id, before, who, cause=new_cause(request.app[IDS], Origin.PAGE))
        except Refusal as refusal:
            if refusal.code != "not_member":  # then they looked around and bought nothing
                raise
    response = redirect(link_path(code))
    remember(request, response, await prove(request, browser, who))
    return response


async def _keep_token(request: web.Request, account: LinkedAccount, who: Identity) -> None:
    if account.token is None:
        return
    await request.app[CREDENTIALS].put(who.platform, f"{who.realm}:{who.user}", PURPOSE, account.token, account.token_expires_at)
    async with request.app[DATABASE].transaction() as session:
        ids = request.app[IDS]
        await retrying.knock_again(session, who, Trail(ids, request.app[CLOCK].now(), new_cause(ids, Origin.PAGE), who.actor))


_ENDS: Final[Mapping[str, tuple[Callable[[str], str], _End]]] = MappingProxyType(
    {
        PURPOSE: (lambda code: f"{link_path(code)}?note=denied", _joined),
        link.PURPOSE: (link.denied, link.finish),
        gift.PURPOSE: (gift.denied, gift.finish),
        guest.PURPOSE: (guest.denied, guest.finish),
    }
)
"""What each purpose ends in: where the browser goes after a no, and what is done after a yes, with what it was begun for."""
