from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from sandbox.wire import serve

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
ACCOUNT = {"id": "acct_1", "object": "account", "charges_enabled": True, "default_currency": "usd"}


@dataclass
class Script:
    """A server that answers with what it was told, in order, the last for ever; and keeps what it was asked."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.asked.append(request)
        following = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await following(request)

    def heads(self, name: str) -> list[str | None]:
        return [request.headers.get(name) for request in self.asked]


def says(body: object, status: int = 200, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer


def refuses(status: int, code: str = "", **headers: str) -> Answer:
    return says({"error": {"type": "invalid_request_error", "code": code or None, "message": "No."}}, status, **headers)


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    script = Script(answers=[says(ACCOUNT)])
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    async with serve(app) as url:
        script.url = url
        yield script
