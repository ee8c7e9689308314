"""Signing in with a platform: off to it with a state nobody can guess, and back with an account proven there."""

from typing import Final

from aiohttp import web

from core.ids import PlatformName
from core.people import Identity
from core.platform import AccountLinking, LinkedAccount
from storage import grants, states
from storage.states import BrowserRow
from web.browser import PROOF_LIFE, Browser, known, own_form, remember
from web.invite import callback_url, linking
from web.keys import ADAPTERS, CLOCK, CREDENTIALS, DATABASE, IDS, INVITES
from web.pages import link_path, outside, redirect
from web.round_trip import answered, arrive, depart

PURPOSE: Final = "join"
"""What the round trip is for, and under which name the token that brings them in is kept."""


async def leave(request: web.Request) -> web.Response:
    """Send the browser to the platform to sign in; used again, to sign in as somebody else."""
    browser = await own_form(request)
    offer = await request.app[INVITES].look(request.match_info["code"])
    adapter = linking(request, offer)
    state = await depart(request, browser, offer.platform, PURPOSE, offer.invite.code)
    return redirect(outside(adapter.authorize_url(state, callback_url(request, offer.platform))))


async def come_back(request: web.Request) -> web.Response:
    """Take the browser back, with a new cookie and its account proven; Refusal for whatever is not the answer to our question."""
    platform = PlatformName(request.match_info["platform"])
    adapter = request.app[ADAPTERS].get(platform)
    if not isinstance(adapter, AccountLinking):
        raise web.HTTPNotFound
    browser = known(request)
    back = link_path((await arrive(request, platform, PURPOSE)).subject)
    if "error" in request.query:
        return redirect(f"{back}?note=denied")
    account = await adapter.exchange(answered(request), callback_url(request, platform))
    if account.token is not None:
        subject = f"{account.realm}:{account.user}"
        await request.app[CREDENTIALS].put(platform, subject, PURPOSE, account.token, account.token_expires_at)
        who = Identity(platform, account.realm, account.user, account.name)
        async with request.app[DATABASE].transaction() as session:
            await grants.knock_again(session, who, request.app[CLOCK].now())
    response = redirect(back)
    remember(request, response, await _prove(request, browser, platform, account))
    return response


async def _prove(request: web.Request, before: Browser | None, platform: PlatformName, account: LinkedAccount) -> Browser:
    """Start a new session for the person, so that a secret from before the sign-in is worth nothing after it."""
    browser = Browser(request.app[IDS].secret())
    row = BrowserRow(
        browser_hash=browser.hash,
        platform=platform,
        realm=account.realm,
        user=account.user,
        name=account.name,
        expires_at=request.app[CLOCK].now() + PROOF_LIFE,
    )
    async with request.app[DATABASE].transaction() as session:
        if before is not None:
            await states.forget(session, before.hash)
        await states.put(session, row)
    return browser
