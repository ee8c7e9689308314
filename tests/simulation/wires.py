"""The product's two ways out, without sockets: the real SDK over the processor's model, and the platform in memory."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from email.utils import format_datetime
from urllib.parse import urlsplit

import stripe

from billing.stripe.client import HttpClient
from core.boundary import assert_outside_transaction
from core.clock import Clock
from core.commands import CommandReply, ReplyHandle
from core.errors import RateLimited, TransientError
from core.ids import PlatformUserId
from core.platform import Admitted, Destination, Inbound, Message, MessageRef, Person, Resource, Space
from sandbox.faults import Fault, FaultKind, FaultPlan
from sandbox.memory import MemoryAdapter, MemoryWorld
from sandbox.stripe.model import Request, StripeModel
from sandbox.stripe.shell import fault_answer

REFUSING = frozenset({FaultKind.RATE_LIMITED, FaultKind.SERVER_ERROR})
SILENT = "no answer came"


class StripeWire(HttpClient):
    """Carries the SDK's requests to a model in this process. ``plan`` says which of them fail, and how."""

    def __init__(self, model: StripeModel, plan: FaultPlan) -> None:
        super().__init__()
        self._model, self._plan = model, plan

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: object = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        parts = urlsplit(url)
        what = f"{method.upper()} {parts.path}"
        assert_outside_transaction(f"{what} of the processor")
        await asyncio.sleep(0)
        fault = self._plan.take("stripe", what)
        if fault is not None and fault.kind in REFUSING:
            answer = fault_answer(fault)
            assert isinstance(answer.body, bytes)
            return answer.body, answer.status, answer.headers
        if fault is not None and fault.kind is FaultKind.TIMEOUT_BEFORE:
            raise stripe.APIConnectionError(SILENT)  # type: ignore[no-untyped-call] # the SDK leaves its errors untyped
        body, status, told = self._ask(method.upper(), parts.path, parts.query if post_data is None else str(post_data), headers)
        await asyncio.sleep(0)
        if fault is not None and fault.kind is FaultKind.TIMEOUT_AFTER:
            raise stripe.APIConnectionError(SILENT)  # type: ignore[no-untyped-call] # the SDK leaves its errors untyped
        return body, status, told

    def _ask(self, method: str, path: str, fields: str, headers: Mapping[str, str]) -> tuple[bytes, int, Mapping[str, str]]:
        answer = self._model.handle(
            Request(
                method=method,
                path=path,
                fields=fields,
                key=headers["Authorization"].removeprefix("Bearer "),
                account=headers.get("Stripe-Account"),
                idempotency_key=headers.get("Idempotency-Key"),
                version=headers.get("Stripe-Version"),
            )
        )
        return answer.body.encode(), answer.status, {"Date": format_datetime(self._model.date, usegmt=True)}

    async def close_async(self) -> None:
        """Nothing was opened."""


class WiredAdapter(MemoryAdapter):
    """The platform in memory as one process sees it. ``plan`` says which calls fail, and how; ``seen`` whom each grant and revoke met."""

    def __init__(self, world: MemoryWorld, clock: Clock, plan: FaultPlan) -> None:
        super().__init__(world, clock)
        self._plan = plan

    async def start(self, inbound: Inbound) -> None:
        """Listen; who is in which space is told by whoever connects the process to the world."""
        self._inbound = inbound

    @property
    def listener(self) -> Inbound | None:
        """Who hears what happens."""
        return self._inbound

    async def grant(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        async with self._line("grant"):
            await super().grant(resource, user, reason=reason)

    async def revoke(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        async with self._line("revoke"):
            await super().revoke(resource, user, reason=reason)

    async def check(self, resource: Resource) -> None:
        async with self._line("check"):
            await super().check(resource)

    async def holds(self, space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        async with self._line("holds"):
            return await super().holds(space, user)

    async def admit(self, space: Space, user: PlatformUserId, token: str | None, resources: Sequence[Resource], *, reason: str) -> Admitted:
        async with self._line("admit"):
            return await super().admit(space, user, token, resources, reason=reason)

    async def withdraw(self, space: Space, invite_url: str, *, reason: str) -> None:
        async with self._line("withdraw"):
            await super().withdraw(space, invite_url, reason=reason)

    async def send(self, to: Destination, message: Message) -> MessageRef:
        async with self._line(f"send {message.title}" if isinstance(to, Person) else "send to a channel"):
            return await super().send(to, message)

    async def reply(self, handle: ReplyHandle, reply: CommandReply) -> None:
        async with self._line("reply"):
            await super().reply(handle, reply)

    @asynccontextmanager
    async def _line(self, what: str) -> AsyncIterator[None]:
        """Make one call as the fault plan lets it."""
        assert_outside_transaction(f"{what} in memory")
        await asyncio.sleep(0)
        fault: Fault | None = self._plan.take("memory", what)
        if fault is not None and fault.kind is FaultKind.RATE_LIMITED:
            raise RateLimited("slow down", retry_after=fault.retry_after)
        if fault is not None and fault.kind in {FaultKind.SERVER_ERROR, FaultKind.TIMEOUT_BEFORE}:
            raise TransientError(SILENT)
        yield
        if fault is not None and fault.kind is FaultKind.TIMEOUT_AFTER:
            raise TransientError(SILENT)
