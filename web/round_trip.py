"""Off to a platform and back: a state nobody can guess, bound to the browser, the platform and the purpose, used once."""

from datetime import timedelta
from typing import Final

from aiohttp import web

from core.errors import Refusal
from core.ids import PlatformName
from storage import states
from storage.states import StateRow
from web.browser import Browser, known
from web.keys import CLOCK, DATABASE, IDS

STATE_LIFE: Final = timedelta(minutes=10)
LONGEST: Final = 2048
"""Characters of a state or a code that are looked at."""


async def depart(request: web.Request, browser: Browser, platform: PlatformName, purpose: str, subject: str) -> str:
    """Note that ``browser`` is off to ``platform`` for ``purpose``, and return the state to send along. ``subject`` is no secret."""
    state = request.app[IDS].secret()
    row = StateRow(
        state_hash=states.hashed(state),
        browser_hash=browser.hash,
        platform=platform,
        purpose=purpose,
        subject=subject,
        expires_at=request.app[CLOCK].now() + STATE_LIFE,
    )
    async with request.app[DATABASE].transaction() as session:
        await states.put(session, row)
    return state


async def arrive(request: web.Request, platform: PlatformName, *purposes: str) -> StateRow:
    """Use the state of a callback up and return what it was made with; Refusal ``bad_state`` when it is not for us, now and here.

    A state shown by the wrong browser, at the wrong platform's callback or for another purpose is burnt too.
    """
    browser, state = known(request), request.query.get("state", "")
    async with request.app[DATABASE].transaction() as session:
        row = await states.take(session, states.hashed(state)) if 0 < len(state) <= LONGEST else None
    fits = (
        row is not None
        and browser is not None
        and row.browser_hash == browser.hash
        and row.platform == platform
        and row.purpose in purposes
        and row.expires_at > request.app[CLOCK].now()
    )
    if row is None or not fits:
        raise Refusal(
            "bad_state",
            "It was used already, took longer than ten minutes, or began in another browser. Nothing was linked. "
            "Open your link and try again.",
        )
    return row


def answered(request: web.Request) -> str:
    """Return the code a platform sent the browser back with; Refusal ``bad_code`` when there is none."""
    code = request.query.get("code", "")
    if not 0 < len(code) <= LONGEST:
        raise Refusal("bad_code", "The sign-in came back without an answer. Open your link and try again.")
    return code
