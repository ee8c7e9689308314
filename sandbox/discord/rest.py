"""REST v10 on a socket: authentication, rate limits, bodies in and out. What a route does is in ``endpoints``."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from sandbox.discord.endpoints import channels, commands, guilds, interactions, invites, members, messages, roles, users
from sandbox.discord.endpoints.call import Answer, Call, Endpoint, Who
from sandbox.discord.errors import Payload, RefusedError, refuse, unauthorized
from sandbox.discord.oauth import Authorization, same
from sandbox.discord.ratelimits import RateLimits, Verdict
from sandbox.discord.users import User
from sandbox.discord.world import World
from sandbox.faults import Fault, FaultKind
from sandbox.wire import FAULT

PREFIX = "/api/v10"
ENDPOINTS: tuple[Endpoint, ...] = (
    *users.ROUTES,
    *guilds.ROUTES,
    *members.ROUTES,
    *roles.ROUTES,
    *channels.ROUTES,
    *messages.ROUTES,
    *invites.ROUTES,
    *commands.ROUTES,
    *interactions.ROUTES,
)
_VIA = {"Via": "1.1 sandbox"}
_MAJOR = ("guild_id", "channel_id", "webhook_token", "interaction_token", "application_id")


@dataclass(slots=True)
class Rest:
    """Turns requests into calls on the model and answers into responses."""

    world: World
    limits: RateLimits
    gateway_url: str = ""
    calls: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=100_000))
    """Method and path of the latest calls, for those who count what was asked."""

    def routes(self) -> list[web.RouteDef]:
        """Return the aiohttp routes of every endpoint, and one that refuses what is not emulated."""
        known = [web.route(endpoint.method, PREFIX + endpoint.path, self._serve(endpoint)) for endpoint in ENDPOINTS]
        return [*known, web.route("*", PREFIX + "/{tail:.*}", self._unknown)]

    def _serve(self, endpoint: Endpoint) -> "Any":  # noqa: ANN401 - aiohttp's handler type
        async def handle(request: web.Request) -> web.Response:
            self.calls.append((request.method, request.path.removeprefix(PREFIX)))
            bearer = request.headers.get("Authorization", "").startswith("Bearer ")
            verdict = self.limits.take(endpoint.bucket, _major(request, bearer=bearer), counted=endpoint.counted and not bearer)
            if verdict.banned_for is not None:
                return _banned(verdict.banned_for)
            if verdict.refused is not None:
                self.limits.note(429)
                return written(429, verdict.refused, verdict.headers)
            try:
                answer = endpoint.handler(await self._call(request, endpoint))
            except RefusedError as refused:
                self.limits.note(refused.status)
                return _refused(refused, verdict)
            return _answered(answer, verdict)

        return handle

    async def _call(self, request: web.Request, endpoint: Endpoint) -> Call:
        actor, authorization = self._who(request.headers.get("Authorization", ""), endpoint.who)
        body, files = _body(request.headers.get("Content-Type", ""), await request.read())
        reason = request.headers.get("X-Audit-Log-Reason")
        return Call(
            self.world,
            actor,
            request.match_info,
            request.query,
            body,
            files,
            unquote(reason)[:512] if reason else None,
            authorization,
            self.gateway_url,
        )

    def _who(self, header: str, who: Who) -> tuple[User, Authorization | None]:
        kind, _, token = header.partition(" ")
        if kind == "Bot" and same(token, self.world.app.token):
            if who is Who.PERSON:
                raise refuse(20001)
            return self.world.bot, None
        if kind == "Bearer" and who in {Who.PERSON, Who.EITHER} and (found := self.world.oauth.bearer(token)):
            return self.world.users.get(found.user_id), found
        if who is Who.ANYONE:
            return self.world.bot, None
        raise unauthorized()

    async def _unknown(self, request: web.Request) -> web.Response:
        self.calls.append((request.method, request.path.removeprefix(PREFIX)))
        return _refused(RefusedError(404, 0, f"404: Not Found: no {request.method} {request.path} here", fault=True), Verdict({}))


def _major(request: web.Request, *, bearer: bool) -> str:
    """Return what a bucket is counted by: the server, channel or webhook in the path; a person's calls by their token."""
    if bearer:
        return request.headers["Authorization"]
    return next((request.match_info[name] for name in _MAJOR if name in request.match_info), "")


def fault_answer(fault: Fault) -> web.Response:
    """Answer a planned fault as Discord would: a 429 of its own, or a bare 5xx."""
    if fault.kind is FaultKind.RATE_LIMITED:
        body = {"message": "You are being rate limited.", "retry_after": fault.retry_after, "global": False, "code": 0}
        return written(429, body, {"Retry-After": str(int(fault.retry_after) + 1), "X-RateLimit-Scope": "user"})
    return written(fault.status, {"message": f"{fault.status}: Server Error", "code": 0})


def written(status: int, payload: object, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return ``payload`` as JSON whose content type is exactly ``application/json``, as clients compare it."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    return web.Response(status=status, body=body, headers={**_VIA, **(headers or {})}, content_type="application/json")


def _answered(answer: Answer, verdict: Verdict) -> web.Response:
    headers = {**_VIA, **verdict.headers}
    if answer.text is not None:
        response = web.Response(status=answer.status, body=answer.text.encode(), headers=headers, content_type=answer.content_type)
        response[FAULT] = True  # a record is read as JSON, and this is not
        return response
    if answer.status == 204:  # noqa: PLR2004 - No Content
        return web.Response(status=204, headers=headers)
    return written(answer.status, answer.payload, verdict.headers)


def _refused(refused: RefusedError, verdict: Verdict) -> web.Response:
    response = written(refused.status, refused.payload(), verdict.headers)
    # what stands in "errors" is described with numbers for codes, and is sent with names: the answer is right, the description is not
    response[FAULT] = refused.fault or refused.errors is not None
    return response


def _banned(seconds: float) -> web.Response:
    response = web.Response(status=429, text="error code: 1015", headers={"Retry-After": str(int(seconds) + 1)})
    response[FAULT] = True
    return response


def _body(content_type: str, raw: bytes) -> tuple[Any, dict[str, bytes]]:
    """Return the JSON body and the files: of a multipart request, ``payload_json`` and the other parts."""
    if not raw:
        return None, {}
    if not content_type.startswith("multipart/form-data"):
        return _json(raw), {}
    whole = message_from_bytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + raw, policy=HTTP)
    parts: dict[str, bytes] = {}
    for part in whole.iter_parts():
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        if isinstance(content, bytes) and isinstance(name, str):
            parts[name] = content
    payload: Payload = _json(parts.pop("payload_json", b"{}"))
    return payload, parts


def _json(raw: bytes) -> Any:  # noqa: ANN401 - whatever the client sent
    try:
        return json.loads(raw)
    except ValueError:
        raise refuse(50109) from None
