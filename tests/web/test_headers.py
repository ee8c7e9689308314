import re
from collections.abc import AsyncIterator

import pytest

from core.ids import Ids
from sandbox.clock import VirtualClock
from storage.database import Database
from tests.web.fakes import FakeTip, FakeWelcome
from tests.web.site import Answer, Site, Visitor
from web.app import create_app

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Server": "doorman",
}
EVERY_ROUTE = [
    ("GET", "/j/gold", 200),
    ("GET", "/j/unknown", 404),
    ("POST", "/j/gold/continue", 403),
    ("POST", "/j/gold/continue/lodge", 403),
    ("POST", "/j/gold/guest", 403),
    ("POST", "/j/gold/checkout", 403),
    ("POST", "/j/gold/portal", 403),
    ("POST", "/j/gold/wait", 403),
    ("GET", "/oauth/lodge/callback", 400),
    ("GET", "/harbour/install", 303),
    ("GET", "/harbour/oauth_redirect", 400),
    ("GET", "/welcome/order", 200),
    ("POST", "/welcome/order/continue/lodge", 403),
    ("POST", "/welcome/order/claim", 403),
    ("GET", "/link/unknown", 410),
    ("POST", "/link/unknown/continue/lodge", 403),
    ("GET", "/linked", 200),
    ("GET", "/gift/unknown", 404),
    ("POST", "/gift/unknown/continue/lodge", 403),
    ("GET", "/given/unknown", 404),
    ("GET", "/tip/tip", 200),
    ("POST", "/webhooks/stripe", 200),
    ("POST", "/webhooks/stripe/r4nd0m", 200),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/metrics", 200),
    ("GET", "/robots.txt", 200),
    ("GET", "/static/v/doorman.css", 200),
    ("POST", "/harbour/events", 202),
    ("GET", "/nowhere", 404),
    ("DELETE", "/j/gold", 405),
]
PRIVATE = [route for route in EVERY_ROUTE if not route[1].startswith(("/static", "/robots"))]


@pytest.fixture
async def secure_site(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Site]:
    """The site as it is behind TLS."""
    site = Site(sqlite_database, clock, ids, public_url="https://door.example")
    site.invites.sell()
    async with site.open():
        yield site


def policy(answer: Answer) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize(("method", "path", "status"), EVERY_ROUTE)
async def test_every_route_carries_every_header(site: Site, fan: Visitor, method: str, path: str, status: int) -> None:
    site.statuses.orders["order"], site.tips.tips["tip"] = FakeWelcome(), FakeTip()
    answer = await fan.request(method, path)
    assert answer.status == status
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    found = policy(answer)
    assert (found["default-src"], found["frame-ancestors"], found["base-uri"]) == ("'none'", "'none'", "'none'")
    assert "script-src" not in found
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]


async def test_no_route_is_left_out(site: Site) -> None:
    patterns = [re.sub(r"\{[^}]*\}", "[^/]*", resource.canonical) for resource in create_app(site.services()).router.resources()]
    missed = [pattern for pattern in patterns if not any(re.fullmatch(pattern, path) for _, path, _ in EVERY_ROUTE)]
    assert not missed


@pytest.mark.parametrize(("method", "path", "status"), PRIVATE)
async def test_nothing_that_is_somebodys_is_kept_by_a_cache(site: Site, fan: Visitor, method: str, path: str, status: int) -> None:
    site.statuses.orders["order"], site.tips.tips["tip"] = FakeWelcome(), FakeTip()
    answer = await fan.request(method, path)
    assert (answer.status, answer.headers["Cache-Control"]) == (status, "no-store")


async def test_a_redirect_carries_them_too(fan: Visitor) -> None:
    away = await fan.submit(await fan.get("/j/gold"), "/j/gold/continue")
    assert away.status == 303
    assert {name: away.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert away.headers["Cache-Control"] == "no-store"


async def test_the_style_sheet_is_kept_for_ever_under_an_address_that_changes_with_it(fan: Visitor) -> None:
    page = await fan.get("/j/gold")
    found = re.search(r'href="(/static/[0-9a-f]{12}/doorman\.css)"', page.text)
    assert found is not None
    answer = await fan.get(found[1])
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["..%2fapp.py", "app.py", "nothing.css", "%2e%2e%2fkeys.py"])
async def test_only_the_style_sheet_and_the_mark_are_served(fan: Visitor, name: str) -> None:
    assert (await fan.get(f"/static/v/{name}")).status == 404


async def test_a_form_may_lead_to_the_platform_and_nowhere_else_before_the_sign_in(fan: Visitor) -> None:
    assert policy(await fan.get("/j/gold"))["form-action"] == "'self' https://lodge.example"


async def test_a_form_may_lead_to_a_checkout_after_the_sign_in(fan: Visitor) -> None:
    assert policy(await fan.sign_in())["form-action"].split() == [
        "'self'",
        "http://127.0.0.1:*",
        "http://localhost:*",
        "https:",
        "https://lodge.example",
    ]


async def test_a_page_without_a_form_allows_none(site: Site, fan: Visitor) -> None:
    site.statuses.orders["order"] = FakeWelcome()
    assert policy(await fan.get("/welcome/order"))["form-action"] == "'none'"
    assert policy(await fan.get("/nowhere"))["form-action"] == "'none'"


async def test_behind_tls_the_cookie_is_bound_to_the_host_and_tls_is_kept(secure_site: Site) -> None:
    async with secure_site.visitor() as fan:
        page = await fan.get("/j/gold")
        raw = page.headers["Set-Cookie"]
    assert raw.startswith("__Host-doorman=")
    for attribute in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert attribute in raw
    assert "Domain" not in raw
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "http:" not in policy(page)["form-action"]


async def test_on_a_loopback_address_the_cookie_works_without_tls(fan: Visitor) -> None:
    page = await fan.get("/j/gold")
    raw = page.headers["Set-Cookie"]
    assert raw.startswith("doorman=")
    assert "Secure" not in raw
    assert "HttpOnly" in raw
    assert "Strict-Transport-Security" not in page.headers


async def test_the_whole_way_works_behind_tls(secure_site: Site) -> None:
    async with secure_site.visitor() as fan:
        page = await fan.get("/j/gold")
        cookie = {"Cookie": f"__Host-doorman={page.cookies['__Host-doorman']}", "Origin": "https://door.example"}
        away = await fan.submit(page, "/j/gold/continue", headers=cookie)
        assert "https%3A%2F%2Fdoor.example%2Foauth%2Flodge%2Fcallback" in away.location
        back = await fan.get(f"/oauth/lodge/callback?code=code-of-ben&state={away.state}", headers=cookie)
        cookie["Cookie"] = f"__Host-doorman={back.cookies['__Host-doorman']}"
        page = await fan.get(back.location, headers=cookie)
        assert "@ben" in page.text
        assert (await fan.submit(page, "/j/gold/checkout", headers=cookie)).location.startswith("https://checkout")
