"""The whole API without any I/O: a request in, an answer out, and time moved by :meth:`StripeModel.tick`."""

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime

from core.clock import Clock
from sandbox.stripe import form, routes
from sandbox.stripe.account import API_VERSION, Account, EventListener
from sandbox.stripe.call import Call, Route
from sandbox.stripe.errors import ApiError, invalid_key, invalid_version, no_access
from sandbox.stripe.events import address
from sandbox.stripe.expand import expanded
from sandbox.stripe.idempotency import Idempotency, Saved
from sandbox.stripe.ids import Ids
from sandbox.stripe.policy import Policy
from sandbox.stripe.resource import Json, Resource
from sandbox.stripe.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; ``fields`` is the raw query (GET, DELETE without a body) or form body."""

    method: str
    path: str
    fields: str
    key: str
    account: str | None = None
    idempotency_key: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; ``body`` is JSON."""

    status: int
    body: str
    request_id: str
    original: str | None = None
    """The first request, when this is its answer once more."""


class StripeModel:
    """Every account of the sandbox's Stripe. The same seed and the same calls give the same ids and answers."""

    def __init__(self, clock: Clock, seed: int, policy: Policy | None = None) -> None:
        self._clock = clock
        self.ids = Ids(random.Random(seed))  # noqa: S311 - ids of a sandbox are to be repeatable
        self.policy = policy or Policy()
        self.main = Timeline(self._now)
        self.idempotency = Idempotency(self.policy.idempotency_kept)
        self.accounts: dict[str, Account] = {}
        self.keys: dict[str, Account] = {}
        self._listeners: list[EventListener] = []
        self._page_base = "https://checkout.stripe.com"
        self.default = self.create_account("Sandbox")
        self.api_key = self.create_key(self.default)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    def create_account(self, name: str, *, platform: Account | None = None) -> Account:
        """Make an account; with ``platform``, that account's keys may act for it by ``Stripe-Account``."""
        account = Account(self.ids.new("acct", 16), self.ids, self.main, self.policy)
        account.name, account.platform, account.page_base = name, platform, self._page_base
        account.listeners = self._listeners
        if platform is not None:
            platform.connected.append(account)
        self.accounts[account.id] = account
        return account

    def create_key(self, account: Account, prefix: str = "sk_test") -> str:
        """Make an API key, ``sk_test`` or ``rk_test``."""
        key = f"{prefix}_{self.ids.secret(48)}"
        self.keys[key] = account
        return key

    def on_event(self, listener: EventListener) -> None:
        """Call ``listener(account, event)`` for each new event that some endpoint wants."""

        def addressed(account: Account, event: Resource) -> None:
            address(account, event)
            if event["pending_webhooks"]:
                listener(account, event)

        self._listeners.append(addressed)

    def serve_pages_at(self, base: str) -> None:
        """Make links to hosted pages start with ``base``."""
        self._page_base = base
        for account in self.accounts.values():
            account.page_base = base

    def tick(self) -> None:
        """Carry out all that fell due, one moment after another."""
        self.main.run_until(self._now())

    @property
    def date(self) -> datetime:
        """The vendor's time, for the ``Date`` header."""
        return self._clock.now().astimezone(UTC)

    def handle(self, request: Request) -> Answer:
        """Answer one API request."""
        self.tick()
        request_id = self.ids.new("req", 14)
        try:
            account = self._authorize(request)
            if request.version not in {None, API_VERSION}:
                raise invalid_version(str(request.version))
            return self._answer(account, request, request_id)
        except ApiError as refused:
            return Answer(refused.status, _json(refused.body), request_id)

    def refuse(self, refused: ApiError) -> Answer:
        """Answer a request that could not even be read."""
        return Answer(refused.status, _json(refused.body), self.ids.new("req", 14))

    def _authorize(self, request: Request) -> Account:
        owner = self.keys.get(request.key)
        if owner is None:
            raise invalid_key(request.key)
        if request.account is None or request.account == owner.id:
            return owner
        account = self.accounts.get(request.account)
        if account is None or account.platform is not owner:
            raise no_access(request.key, request.account)
        return account

    def _answer(self, account: Account, request: Request, request_id: str) -> Answer:
        route, ids = routes.ROUTER.match(request.method, request.path)
        key = request.idempotency_key if request.method == "POST" else None
        fingerprint = f"{request.method} {request.path} {request.fields}"
        saved = self.idempotency.find(account.id, key, fingerprint, self._now()) if key else None
        if saved is not None:
            return Answer(saved.status, saved.body, request_id, saved.request_id)
        params = route.read(form.decode(request.fields))
        account.request = {"id": request_id, "idempotency_key": key}
        try:
            answer = self._carry_out(account, request, route, ids, params, request_id)
        finally:
            account.request = {"id": None, "idempotency_key": None}
        if key and (answer.status < 400 or answer.status == 402):  # noqa: PLR2004 - a refusal of the parameters is not saved
            self.idempotency.save(account.id, key, Saved(self._now(), fingerprint, answer.status, answer.body, request_id))
        return answer

    def _carry_out(self, account: Account, request: Request, route: Route, ids: tuple[str, ...], params: Json, request_id: str) -> Answer:
        expand = params.pop("expand", [])
        try:
            shown = route.handler(Call(account, params, ids, request.path))
            return Answer(200, _json(expanded(account, shown, expand)), request_id)
        except ApiError as refused:
            return Answer(refused.status, _json(refused.body), request_id)


def _json(value: Json) -> str:
    return json.dumps(value, indent=None)
