"""The web application over a real socket, with a browser that keeps cookies and fills in forms but follows no redirect by itself."""

import io
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Self
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from core.clock import Clock
from core.ids import Ids, PlatformName
from core.platform import PlatformAdapter
from membership.attachment import Attachments
from membership.community import Communities
from membership.installation import Installs
from membership.linking import Linking
from storage.credentials import CredentialStore
from storage.database import Database
from tests.web.fakes import (
    HARBOUR,
    LODGE,
    FakeCheckouts,
    FakeGifts,
    FakeInbound,
    FakeInvites,
    FakePlatform,
    FakeStatuses,
    FakeTips,
    FakeWaitlist,
    FakeWebhooks,
    HttpPlatform,
)
from web.app import create_runner
from web.keys import Services
from web.ports import Webhooks

_FORM = re.compile(r'<form method="post" action="([^"]*)">(.*?)</form>', re.DOTALL)
_LARGE = 100_000
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str
    cookies: Mapping[str, str]

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @property
    def state(self) -> str:
        """The state in the address of the platform's sign-in page."""
        return parse_qs(urlsplit(self.location).query)["state"][0]

    def form(self, action: str) -> dict[str, str]:
        """The fields of the form that leads to ``action``."""
        return next(
            {unescape(name): unescape(value) for name, value in _HIDDEN.findall(body)}
            for target, body in _FORM.findall(self.text)
            if unescape(target) == action
        )

    def has_form(self, action: str) -> bool:
        return any(unescape(target) == action for target, _ in _FORM.findall(self.text))


class Visitor:
    """A browser."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def request(self, method: str, path: str, *, data: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        url = URL(self.base + path, encoded=True)
        data = io.BytesIO(data) if isinstance(data, bytes) and len(data) > _LARGE else data
        async with self._session.request(method, url, data=data, headers=headers, allow_redirects=False) as response:
            cookies = {name: morsel.value for name, morsel in response.cookies.items()}
            return Answer(response.status, response.headers.copy(), await response.text(), cookies)

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return await self.request("GET", path, headers=headers)

    async def submit(self, page: Answer, action: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Press the button of the page's form, as a browser does under our Referrer-Policy."""
        sent = {"Origin": "null", "Sec-Fetch-Site": "same-origin"} if headers is None else headers
        return await self.request("POST", action, data=page.form(action), headers=sent)

    async def sign_in(self, code: str = "gold", oauth_code: str = "code-of-ben") -> Answer:
        """Go from the offer to the platform and back, and return the offer as it is then."""
        offer = await self.get(f"/j/{code}")
        away = await self.submit(offer, f"/j/{code}/continue")
        back = await self.get(f"/oauth/{LODGE}/callback?code={oauth_code}&state={away.state}")
        assert (back.status, back.location) == (303, f"/j/{code}")
        return await self.get(back.location)

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self._session.cookie_jar}


@dataclass(slots=True)
class Site:
    """The application and everything it calls."""

    db: Database
    clock: Clock
    ids: Ids
    platform: FakePlatform = field(default_factory=FakePlatform)
    harbour: HttpPlatform = field(default_factory=HttpPlatform)
    invites: FakeInvites = field(default_factory=FakeInvites)
    checkouts: FakeCheckouts = field(default_factory=FakeCheckouts)
    statuses: FakeStatuses = field(default_factory=FakeStatuses)
    tips: FakeTips = field(default_factory=FakeTips)
    gifts: FakeGifts = field(default_factory=FakeGifts)
    waitlist: FakeWaitlist = field(default_factory=FakeWaitlist)
    communities: Communities = field(init=False)
    attachments: Attachments = field(init=False)
    installs: Installs = field(init=False)
    linking: Linking = field(init=False)
    webhooks: Webhooks = field(default_factory=FakeWebhooks)
    checks: dict[str, bool] = field(default_factory=lambda: {"database": True, "lodge": True})
    public_url: str = ""
    real: Callable[[Services], Services] = lambda services: services
    """Puts real use cases in the place of fakes."""
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    def __post_init__(self) -> None:
        self.communities = Communities(db=self.db, clock=self.clock, ids=self.ids)
        self.attachments = Attachments(db=self.db, clock=self.clock, ids=self.ids)
        self.linking = Linking(db=self.db, clock=self.clock, ids=self.ids)
        self.installs = Installs(communities=self.communities, attachments=self.attachments)

    def services(self) -> Services:
        adapters: dict[PlatformName, PlatformAdapter] = {LODGE: self.platform, HARBOUR: self.harbour}
        return Services(
            public_url=self.public_url or self.base,
            adapters=adapters,
            invites=self.invites,
            checkouts=self.checkouts,
            statuses=self.statuses,
            tips=self.tips,
            gifts=self.gifts,
            waitlist=self.waitlist,
            installs=self.installs,
            linking=self.linking,
            webhooks=self.webhooks,
            database=self.db,
            clock=self.clock,
            ids=self.ids,
            credentials=self.credentials,
            inbound=FakeInbound(),
            ready=lambda: self.checks,
        )

    @property
    def credentials(self) -> CredentialStore:
        return CredentialStore(self.db, self.clock)

    @property
    def base(self) -> str:
        """Where it is reached; free before it is open."""
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def visitor(self) -> Visitor:
        return Visitor(self.base)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Serve on a free port of 127.0.0.1; ``public_url`` is that address unless it was set."""
        runner = create_runner(self.real(self.services()), grace=1.0)
        await runner.setup()
        try:
            await web.SockSite(runner, self.listening).start()
            yield self
        finally:
            await runner.cleanup()
            self.listening.close()
