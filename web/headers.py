"""What every answer says to the browser. Pages say more through :func:`allow_forms`."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from web.keys import PUBLIC_URL

_FORMS: Final = web.ResponseKey[str]("form_action")
_ALWAYS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Robots-Tag", "noindex"),
    ("Server", "doorman"),
)


def allow_forms(response: web.StreamResponse, origins: Iterable[str] = ()) -> None:
    """Let the page's forms go to us and, by way of our redirect, to ``origins``: Chromium holds redirects to the form's policy too."""
    response[_FORMS] = " ".join(["'self'", *dict.fromkeys(origins)])


def origin_of(url: str) -> str:
    """Return scheme, host and port of an absolute address, as a browser writes them."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" if parts.port in {None, usual} else f"{parts.scheme}://{host}:{parts.port}"


def checkout_origins(public_url: str) -> tuple[str, ...]:
    """Return where a checkout may be.

    The processor's host is known only after the checkout exists, for an account may have put it under a domain of its own; a list of hosts
    would one day keep a fan from paying. On a loopback address the checkout is the sandbox's.
    """
    return ("http://127.0.0.1:*", "http://localhost:*", "https:") if public_url.startswith("http:") else ("https:",)


async def secure(request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on; every answer of the app passes here, errors too."""
    headers = response.headers
    for name, value in _ALWAYS:
        headers[name] = value
    forms = response.get(_FORMS, "'none'")
    headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
    )
    headers.setdefault("Cache-Control", "no-store")
    if request.app[PUBLIC_URL].startswith("https:"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
