"""One attempt to reach the app at its request URL: signed, answered within three seconds."""

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from core.clock import Clock
from sandbox.slack.app import App
from sandbox.slack.errors import Payload
from sandbox.slack.signature import signed
from sandbox.slack.world import Outbound

PATIENCE = 3.0
"""Real seconds the app has to answer."""
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went: ``failure`` as Slack names it in its retries, or None; what the app said; whether it wants no more of it."""

    failure: str | None
    body: object = None
    final: bool = False


class Requests:
    """Posts to the app. ``signing`` gives the time that is signed."""

    def __init__(self, app: App, signing: Clock, patience: float = PATIENCE) -> None:
        self._app, self._signing = app, signing
        self.patience = patience
        self._room = asyncio.Semaphore(AT_ONCE)

    def session(self) -> aiohttp.ClientSession:
        """Return a session to post with; how many go at once is limited here, since its own limit would count against the app's time."""
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def post(self, session: aiohttp.ClientSession, what: Outbound, attempt: int = 0, reason: str = "") -> Outcome:
        """Send once."""
        if self._app.request_url is None:
            return Outcome("connection_failed")
        body, kind = _written(what)
        headers = {**signed(self._app.signing_secret, int(self._signing.now().timestamp()), body), "Content-Type": kind}
        headers |= {"User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        timeout = aiohttp.ClientTimeout(total=self.patience)
        post = session.post(self._app.request_url, data=body, headers=headers, timeout=timeout, allow_redirects=False)
        try:
            async with self._room, post as answer:
                text = await answer.text()
                if 200 <= answer.status < 300:  # noqa: PLR2004 - success
                    return Outcome(None, _read(text))
                return Outcome("http_error", final=answer.headers.get("X-Slack-No-Retry") == "1")
        except TimeoutError:
            return Outcome("http_timeout")
        except (aiohttp.ClientError, OSError, UnicodeDecodeError):
            return Outcome("connection_failed")


def _written(what: Outbound) -> tuple[bytes, str]:
    if what.kind == "events_api":
        return json.dumps(what.payload).encode(), "application/json"
    fields: Payload = what.payload if what.kind == "slash_commands" else {"payload": json.dumps(what.payload)}
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
