"""Calls that must not carry the bot's token: answers to interactions and signing in. Discord does not count them as the bot's."""

from typing import Any

import aiohttp

from adapters.discord.errors import NETWORK_ERRORS, from_answer, translate
from core.boundary import assert_outside_transaction
from core.errors import TransientError

_TIMEOUT = aiohttp.ClientTimeout(total=15)
_REFUSED = 400


class Tokenless:
    """One session, opened on first use."""

    def __init__(self, api_url: str) -> None:
        self._api_url = api_url
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def call(self, method: str, path: str, *, json: object = None, form: dict[str, str] | None = None, bearer: str = "") -> Any:  # noqa: ANN401
        """Carry out one call and return its JSON, None when it has none; raises ExternalError."""
        assert_outside_transaction("a call to Discord")
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        try:
            async with self._open().request(method, self._api_url + path, json=json, data=form, headers=headers) as response:
                answer = await response.json() if response.content_type == "application/json" else None
                if response.status < _REFUSED:
                    return answer
                raise refused(response, answer, path)
        except NETWORK_ERRORS as error:
            raise translate(error, path) from error
        except ValueError as error:
            raise TransientError("Discord's answer could not be read.", code="not_json") from error

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise TransientError("The bot is shutting down.")
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def close(self) -> None:
        """Close the session for good."""
        self._closed = True
        if self._session is not None:
            await self._session.close()


def refused(response: aiohttp.ClientResponse, answer: object, path: str) -> Exception:
    """Return the error for a refused call; OAuth's own word (``invalid_grant``) becomes the code where there is one."""
    body = answer if isinstance(answer, dict) else {}
    waits = response.headers.get("Retry-After", "0")
    error = from_answer(
        response.status,
        body["code"] if isinstance(body.get("code"), int) else 0,
        str(body.get("message", "")),
        path,
        wait=float(waits) if waits.replace(".", "", 1).isdigit() else 0.0,
    )
    if isinstance(body.get("error"), str):
        error.code = body["error"]
    return error
