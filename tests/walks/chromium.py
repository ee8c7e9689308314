"""A real Chromium: phone-sized and desktop, with and without JavaScript, the barriers axe finds in it, and the pictures it takes."""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, ViewportSize, async_playwright, expect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PHONE, DESKTOP = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=800)
PICTURES = os.environ.get("SCREENSHOTS")  # noqa: TID251 - the one place: the folder to keep pictures in
PATIENCE = 20_000
"""Milliseconds a page may take on a machine that has other things to do."""
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@asynccontextmanager
async def chromium(size: ViewportSize, *, scripts: bool = True, dark: bool = False) -> AsyncIterator[Page]:
    """Open a browser that nobody has used before."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(viewport=size, java_script_enabled=scripts, color_scheme="dark" if dark else "light")
        yield await context.new_page()
        await browser.close()


async def assert_accessible(page: Page) -> None:
    """Hold a page to every rule of axe, and to fit its screen; one that updates itself meanwhile is examined again."""
    for _ in range(5):
        try:
            found = (await Axe().run(page, options={"resultTypes": ["violations"]})).response["violations"]
            fits = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        except PlaywrightError as error:
            if "context was destroyed" not in str(error) and "navigation" not in str(error) and "axe" not in str(error):
                raise
            await page.wait_for_load_state()
            continue
        assert not found, (page.url, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found])
        assert fits, f"{page.url}: something is cut off at the side"
        return
    raise AssertionError(f"{page.url} never stands still long enough to be examined")


@dataclass(frozen=True, slots=True)
class Screen:
    """A browser as one kind of person has it. Without scripts nothing is examined: axe is one."""

    page: Page
    scripts: bool
    form: str

    async def reaches(self, heading: str, _picture: str = "") -> None:
        """Wait for the page with this heading."""
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(heading, timeout=PATIENCE)

    async def shows(self, heading: str, picture: str = "") -> None:
        """Wait for the page with this heading, examine it, and keep a picture of it where pictures are kept."""
        await self.reaches(heading)
        if self.scripts:
            await assert_accessible(self.page)
        if picture and PICTURES:
            path = Path(PICTURES) / f"{picture}-{self.form}.png"
            await self.page.screenshot(path=path, full_page=True, animations="disabled")

    async def press(self, name: str) -> None:
        """Press a button."""
        await self.page.get_by_role("button", name=name).click()

    async def follow(self, name: str) -> None:
        """Follow a link."""
        await self.page.get_by_role("link", name=name).click()

    async def type(self, fields: Mapping[str, str]) -> None:
        """Fill in fields by their labels."""
        for label, text in fields.items():
            await self.page.get_by_label(label, exact=True).fill(text)


@asynccontextmanager
async def screen(size: ViewportSize, *, scripts: bool = True) -> AsyncIterator[Screen]:
    """Open a browser of this size."""
    async with chromium(size, scripts=scripts) as page:
        yield Screen(page, scripts, "phone" if size is PHONE else "desktop")
