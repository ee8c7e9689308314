"""The fan's way in a real Chromium: what headers promise, only a browser can hold."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import ViewportSize, expect

from core.errors import Refusal
from sandbox.wire import serve
from tests.walks.chromium import DESKTOP, PHONE, assert_accessible, chromium, needs_chromium
from tests.web.fakes import ANN, FakeTip, FakeWelcome
from tests.web.site import Site

pytestmark = needs_chromium


def elsewhere() -> web.Application:
    """Another origin, with a platform's sign-in page and a processor's checkout."""

    async def authorize(request: web.Request) -> web.Response:
        back = f"{request.query['redirect_uri']}?code=code-of-ben&state={request.query['state']}"
        if "known" in request.cookies:  # the platform remembers the person, and asks nothing
            return web.Response(status=302, headers={"Location": back})
        page = web.Response(text=f'<h1>Allow?</h1><a href="{back}">Allow</a>', content_type="text/html")
        page.set_cookie("known", "1")
        return page

    async def pay(_request: web.Request) -> web.Response:
        return web.Response(text="<h1>Checkout</h1>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/authorize", authorize)
    app.router.add_get("/pay", pay)
    return app


@pytest.fixture
async def origin(site: Site) -> AsyncIterator[str]:
    """The other origin; the site's platform and checkout are there."""
    async with serve(elsewhere()) as base:
        site.platform.base = base
        site.checkouts.answer = f"{base}/pay"
        yield base


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("size", [PHONE, pytest.param(DESKTOP, marks=pytest.mark.long)], ids=["phone", "desktop"])
async def test_a_fan_walks_from_the_link_to_the_checkout(site: Site, origin: str, size: ViewportSize, *, scripts: bool) -> None:
    async with chromium(size, scripts=scripts) as page:
        await page.goto(f"{site.base}/j/gold")
        await page.get_by_role("button", name="Continue with Lodge").click()
        await page.get_by_role("link", name="Allow").click()
        await expect(page.get_by_text("You join as @ben")).to_be_visible()
        await page.get_by_role("button", name="Not you? Use another account").click()
        await expect(page.get_by_text("You join as @ben")).to_be_visible()
        await page.get_by_role("button", name="Continue to payment").click()
        await expect(page).to_have_url(f"{origin}/pay")
        assert [who.name for _, who in site.checkouts.started] == ["ben"]


async def test_the_way_can_be_walked_by_keyboard_alone(site: Site, origin: str) -> None:
    async with chromium(DESKTOP) as page:
        await page.goto(f"{site.base}/j/gold")
        await page.keyboard.press("Tab")
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="Allow").click()
        pay = page.get_by_role("button", name="Continue to payment")
        await expect(pay).to_be_visible()  # a key pressed before belongs to the page that is being left
        await page.keyboard.press("Tab")
        await expect(pay).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{origin}/pay")


@pytest.mark.long
async def test_a_form_that_would_end_where_the_page_did_not_say_is_stopped(site: Site, origin: str) -> None:
    async with chromium(PHONE) as page:
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        await page.goto(f"{site.base}/j/gold")
        site.platform.base = origin.replace("127.0.0.1", "localhost")
        async with page.expect_event("console", lambda message: "form-action" in message.text):
            await page.get_by_role("button", name="Continue with Lodge").click()
        assert page.url == f"{site.base}/j/gold"
        assert any("form-action" in line for line in refused)


@pytest.mark.long
async def test_the_welcome_page_updates_by_itself_without_scripts(site: Site) -> None:
    site.statuses.orders["order"] = FakeWelcome()
    async with chromium(PHONE, scripts=False) as page:
        await page.goto(f"{site.base}/welcome/order")
        await expect(page.get_by_role("heading", level=1)).to_have_text("You are paid. We are letting you in")
        site.statuses.orders["order"] = FakeWelcome(inside=True)
        await expect(page.get_by_role("heading", level=1)).to_have_text("You are in", timeout=15_000)


@pytest.mark.long
@pytest.mark.parametrize(("size", "dark"), [(PHONE, True), (DESKTOP, False)], ids=["phone in the dark", "desktop by day"])
async def test_no_page_has_a_barrier(site: Site, origin: str, size: ViewportSize, *, dark: bool) -> None:
    del origin
    orders = site.statuses.orders
    orders["paid"], orders["inside"] = FakeWelcome(), FakeWelcome(inside=True, notices=("Welcome!",))
    orders["invited"] = FakeWelcome(invite_url="https://lodge.example/i/1", waiting="Come in by the link.")
    orders["open"] = FakeWelcome(paid=False, state="open", checkout_url="https://checkout.stripe.example/1")
    site.tips.tips["tip"] = FakeTip()
    site.invites.sell("bound", bound=ANN)
    site.invites.links["over"] = Refusal("invite_expired", "It ran out. Ask for a new one.")
    paths = ["/j/gold?note=denied", "/j/bound", "/j/over", "/nothing", "/tip/tip", *(f"/welcome/{order}?still" for order in orders)]
    async with chromium(size, dark=dark) as page:
        for path in paths:
            await page.goto(site.base + path)
            await assert_accessible(page)
        await page.goto(f"{site.base}/j/gold")
        await page.get_by_role("button", name="Continue with Lodge").click()
        await page.get_by_role("link", name="Allow").click()
        await assert_accessible(page)
        site.checkouts.answer = Refusal("already_member", "You have it already.")
        await page.get_by_role("button", name="Continue to payment").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("You are already in")
        await assert_accessible(page)
