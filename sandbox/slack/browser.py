"""A browser's part in OAuth: follow a link to the page that asks, press the button, follow where it leads."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self

import aiohttp
from yarl import URL

_SENT_ON, _FARTHEST = frozenset({301, 302, 303, 307, 308}), 10


class PageError(Exception):
    """The page asks nothing that can be decided; the message is what it says instead."""


@dataclass(slots=True)
class _Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._quiet = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {key: value or "" for key, value in attrs}
        self._quiet += tag in {"style", "script", "head"}
        if tag == "a":
            self.links.append(has.get("href", ""))
        elif tag == "form":
            self.forms.append(_Form(has.get("action", "")))
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append((has.get("name", ""), has.get("value", "")))
        elif tag == "input" and self.forms and (has.get("type") != "radio" or "checked" in has):
            self.forms[-1].fields[has["name"]] = has.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in {"style", "script", "head"}

    def handle_data(self, data: str) -> None:
        if not self._quiet and data.strip():
            self.words.append(data.strip())


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a walk ended: the address, its status, and the words on the page."""

    url: str
    status: int
    words: str


class Browser:
    """One walk through pages as ``name``; cookies last as long as it is open (``async with``)."""

    def __init__(self, base_url: str, name: str) -> None:
        self._slack = URL(base_url)
        self._name = name
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def decide(self, url: str, *, allow: bool, team_id: str | None = None) -> str:
        """Go to Slack's page that asks, through redirects and links, decide, and return the address it sends the browser to."""
        page = await self._ask(url)
        decision = "allow" if allow else "cancel"
        form = next((one for one in page.forms if ("decision", decision) in one.buttons), None)
        if form is None:
            raise PageError(" ".join(page.words))
        picked = {"team_id": team_id} if team_id is not None else {}
        data = {**form.fields, **picked, "decision": decision}
        async with self._http.post(self._slack.with_path(form.action), data=data, allow_redirects=False) as response:
            if response.status in _SENT_ON:
                return response.headers["Location"]
            raise PageError(_read(await response.text()))

    async def land(self, url: str) -> Landing:
        """Follow ``url`` to its end."""
        async with self._http.get(url) as response:
            return Landing(str(response.url), response.status, _read(await response.text()))

    async def _ask(self, url: str) -> _Reader:
        at = URL(url)
        for _ in range(_FARTHEST):
            if at.origin() == self._slack.origin():
                at = at.update_query({"as": self._name})
            async with self._http.get(at, allow_redirects=False) as response:
                if response.status in _SENT_ON:
                    at = at.join(URL(response.headers["Location"]))
                    continue
                page = _Reader()
                page.feed(await response.text())
            onward = next((one for one in page.links if one.startswith(str(self._slack))), None)
            if at.origin() == self._slack.origin() or onward is None:
                return page
            at = URL(onward)
        raise PageError(f"{url} leads round in circles")


def _read(text: str) -> str:
    page = _Reader()
    page.feed(text)
    return " ".join(page.words)
