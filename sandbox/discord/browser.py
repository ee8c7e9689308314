"""A browser's part in OAuth2: open the page, press the button, and say where it was sent."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import aiohttp
from yarl import URL


class PageError(Exception):
    """The page has no such button; the message is what it says instead."""


@dataclass(slots=True)
class Form:
    """A form: where it goes, its fields, its buttons, and what can be picked."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    radios: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._in_main = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {key: value or "" for key, value in attrs}
        self._in_main = self._in_main or tag == "main"
        if tag == "form":
            self.forms.append(Form(has.get("action", "")))
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append((has.get("name", ""), has.get("value", "")))
        elif tag == "input" and self.forms:
            if has.get("type") == "radio":
                self.forms[-1].radios.append((has["name"], has["value"]))
            if has.get("type") != "radio" or "checked" in has:
                self.forms[-1].fields[has["name"]] = has.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._in_main = self._in_main and tag != "main"

    def handle_data(self, data: str) -> None:
        if self._in_main and data.strip():
            self.words.append(data.strip())


async def authorize(url: str, username: str, *, allow: bool = True, guild_id: int | None = None) -> str:
    """Open an authorise link as ``username``, decide, and return the address the browser is sent to.

    ``guild_id`` picks the server when the link installs a bot. Raises :class:`PageError` when the page does not ask anything.
    The result is ``""`` when the page was answered and leads nowhere else.
    """
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        start = URL(url).update_query({"as": username})
        async with session.get(start, allow_redirects=False) as response:
            if response.status in {302, 303}:
                return response.headers["Location"]
            page = _Reader()
            page.feed(await response.text())
        decision = "authorise" if allow else "cancel"
        form = next((one for one in page.forms if ("decision", decision) in one.buttons), None)
        if form is None:
            raise PageError(" ".join(page.words))
        picked = {"guild_id": str(guild_id)} if guild_id is not None else {}
        data = {**form.fields, **picked, "decision": decision}
        async with session.post(start.origin().with_path(form.action), data=data, allow_redirects=False) as response:
            if response.status in {302, 303}:
                return response.headers["Location"]
            answer = _Reader()
            answer.feed(await response.text())
            if response.status != 200:  # noqa: PLR2004 - OK
                raise PageError(" ".join(answer.words))
            return ""
