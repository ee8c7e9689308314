"""Which browser asks: its cookie, the token of its forms, and whose account it has proven to be."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiohttp import web

from core.errors import Refusal
from core.ids import PlatformName
from core.people import Identity
from storage import states
from storage.states import BrowserRow
from web.headers import origin_of
from web.keys import CLOCK, DATABASE, IDS, PUBLIC_URL

PROOF_LIFE: Final = timedelta(minutes=30)
GUEST_LIFE: Final = timedelta(days=30)
"""For a guest the browser is the only proof there is, until they have an account to show."""
_COOKIE_LIFE: Final = timedelta(hours=1)
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser by the secret in its cookie; only the hash is ever stored. ``new``: the cookie is yet to be set."""

    secret: str
    new: bool = False

    @property
    def hash(self) -> str:
        """What rows know the browser by."""
        return states.hashed(self.secret)

    @property
    def form_token(self) -> str:
        """What only our own pages in this browser can send along; it changes with the cookie, and so when the person does."""
        return hmac.new(self.secret.encode(), b"form", hashlib.sha256).hexdigest()


def _ours(charset: str | None) -> bool:
    """Our pages are in UTF-8, and so is every form they send; any other charset is refused unread."""
    return charset is None or charset.lower() == "utf-8"


def _cookie(public_url: str) -> str:
    """``__Host-`` is refused by browsers without TLS."""
    return "__Host-doorman" if public_url.startswith("https:") else "doorman"


def known(request: web.Request) -> Browser | None:
    """Return the browser by its cookie; None without one, or with one that is not of ours."""
    secret = request.cookies.get(_cookie(request.app[PUBLIC_URL]), "")
    return Browser(secret) if _SECRET.fullmatch(secret) else None


def known_or_new(request: web.Request) -> Browser:
    """Return the browser, with a new secret when it has none; :func:`remember` then sets it."""
    return known(request) or Browser(request.app[IDS].secret(), new=True)


def remember(request: web.Request, response: web.StreamResponse, browser: Browser, life: timedelta = _COOKIE_LIFE) -> None:
    """Set the browser's cookie."""
    public_url = request.app[PUBLIC_URL]
    response.set_cookie(
        _cookie(public_url),
        browser.secret,
        max_age=int(life.total_seconds()),
        path="/",
        secure=public_url.startswith("https:"),
        httponly=True,
        samesite="Lax",
    )


async def proven(request: web.Request, browser: Browser | None, *platforms: PlatformName) -> Identity | None:
    """Return who the browser speaks for, if that is on one of ``platforms``; without any, wherever it is."""
    if browser is None or browser.new:
        return None
    async with request.app[DATABASE].reading() as session:
        row = await states.proven(session, browser.hash, request.app[CLOCK].now())
    if row is None or (platforms and row.platform not in platforms):
        return None
    return Identity(row.platform, row.realm, row.user, row.name)


async def prove(request: web.Request, before: Browser | None, who: Identity, life: timedelta = PROOF_LIFE) -> Browser:
    """Start a new session for the person, so that a secret from before the sign-in is worth nothing after it."""
    browser = Browser(request.app[IDS].secret())
    row = BrowserRow(
        browser_hash=browser.hash,
        platform=who.platform,
        realm=who.realm,
        user=who.user,
        name=who.name,
        expires_at=request.app[CLOCK].now() + life,
    )
    async with request.app[DATABASE].transaction() as session:
        if before is not None:
            await states.forget(session, before.hash)
        await states.put(session, row)
    return browser


async def own_form(request: web.Request) -> Browser:
    """Return the browser of a POST from a page of ours; Refusal ``foreign_form`` or ``no_cookie`` for any other.

    Our Referrer-Policy makes browsers send ``Origin: null``, so Sec-Fetch-Site speaks first; the token decides where neither is sent.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    foreign = origin not in {None, "null", origin_of(request.app[PUBLIC_URL])}
    if foreign or site not in {None, "same-origin"} or request.content_type != _FORM or not _ours(request.charset):
        raise Refusal("foreign_form", "That did not come from our page. Open your link again and use the button there.")
    browser = known(request)
    if browser is None:
        raise Refusal("no_cookie", "Your browser did not send our cookie back. Allow cookies for this site, then open your link again.")
    try:
        token = (await request.post()).get("token")
    except ValueError:  # bytes that are not in the charset they are said to be in
        token = None
    if not isinstance(token, str) or not hmac.compare_digest(token.encode(), browser.form_token.encode()):
        raise Refusal("foreign_form", "This page was open too long, or is from before you signed in. Open your link again.")
    return browser
