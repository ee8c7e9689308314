"""A fan's browser: opens pages, presses buttons, keeps cookies; no JavaScript."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL


class Missing(Exception):  # noqa: N818 - what is missing is on the page
    """The page has no such button or link; the message says what it shows."""


@dataclass(slots=True)
class _Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    button: str = ""
    named: tuple[str, str] | None = None


class _Reader(HTMLParser):
    """Collects forms with their buttons, links, the title and the words of ``main``."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.links: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {key: value or "" for key, value in attrs}
        match tag:
            case "form":
                self.forms.append(_Form(has.get("action", ""), has.get("method", "get").lower()))
            case "input" if self.forms and has.get("name"):
                self.forms[-1].fields[has["name"]] = has.get("value", "")
            case "button" if self.forms and has.get("name"):
                self.forms[-1].named = (has["name"], has.get("value", ""))
            case "a":
                self._link = has.get("href", "")
        if tag in {"main", "button", "a", "style", "script"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text or "style" in self._open or "script" in self._open:
            return
        if "button" in self._open and self.forms:
            self.forms[-1].button = f"{self.forms[-1].button} {text}".strip()
        if "a" in self._open:
            self.links.append((text, self._link))
        if "main" in self._open:
            self.words.append(text)


class Browser:
    """One person's browser with its cookies. ``url``, ``status`` and ``text`` are of the page being shown."""

    def __init__(self) -> None:
        self.url = URL()
        self.status = 0
        self.text = ""
        self._page = _Reader()
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        jar = aiohttp.CookieJar(unsafe=True)  # loopback addresses are no host names
        self._http = aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._http is not None:
            await self._http.close()

    async def open(self, url: str | URL) -> str:
        """Go to an address, follow where it leads, and return the words shown."""
        return await self._go("GET", URL(str(url)), {})

    async def press(self, label: str, *, follow: bool = True) -> str:
        """Press the button whose label holds ``label``; returns the words then shown, or the address it leads to when not followed."""
        form = next((form for form in self._page.forms if label.lower() in form.button.lower()), None)
        if form is None:
            raise Missing(f"no button “{label}” on {self.url.path}: {self.text[:300]}")
        fields = dict(form.fields)
        if form.named:
            fields[form.named[0]] = form.named[1]
        target = self.url.join(URL(form.action)) if form.action else self.url
        return await self._go(form.method.upper(), target, fields, follow=follow)

    @property
    def buttons(self) -> list[str]:
        """The labels of the buttons on the page."""
        return [form.button for form in self._page.forms if form.button]

    @property
    def links(self) -> dict[str, str]:
        """The links on the page: label to address."""
        return {text: str(self.url.join(URL(href))) for text, href in self._page.links}

    def link(self, label: str) -> str:
        """Return where the link whose label holds ``label`` leads."""
        for text, href in self._page.links:
            if label.lower() in text.lower():
                return str(self.url.join(URL(href)))
        raise Missing(f"no link “{label}” on {self.url.path}: {self.text[:300]}")

    async def _go(self, method: str, url: URL, fields: dict[str, str], *, follow: bool = True) -> str:
        if self._http is None:
            raise RuntimeError("the browser is not open")
        origin = {"Origin": str(self.url.origin())} if method == "POST" and self.url.host else {}
        data = fields if method == "POST" else None
        async with self._http.request(method, url, data=data, headers=origin, allow_redirects=follow) as response:
            if not follow and 300 <= response.status < 400:  # noqa: PLR2004 - redirects
                return str(url.join(URL(response.headers["Location"])))
            self.url, self.status = response.url, response.status
            self._page = _Reader()
            self._page.feed(await response.text())
            self.text = " ".join(self._page.words)
            return self.text
