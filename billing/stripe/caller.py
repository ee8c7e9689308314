"""How one call is made: as which account, with which of our keys, under which idempotency key, and what its failure means."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

import stripe

from billing.stripe.errors import translate
from billing.stripe.skew import Skew
from core.errors import ExternalError, KeyRefused

T = TypeVar("T", bound=stripe.StripeObject | stripe.StripeResponse)
ItemT = TypeVar("ItemT", bound=stripe.StripeObject)
Call = Callable[[stripe.RequestOptions], Awaitable[T]]


class Keyring:
    """The API keys an account may be reached with while one is being rolled. It remembers the last that worked."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)
        if not self._keys:
            raise KeyRefused("There is no Stripe API key for this account.", code="authentication")

    def in_order(self) -> tuple[str, ...]:
        """Return every key, the one to try first in front."""
        return self._keys

    def worked(self, key: str) -> None:
        """Put ``key`` in front, for the next call."""
        if key != self._keys[0]:
            self._keys = (key, *(other for other in self._keys if other != key))


class Caller:
    """Makes calls for one account. ``account`` is a connected account's id, or empty for the keys' own."""

    def __init__(self, client: stripe.StripeClient, keys: Keyring, account: str, skew: Skew) -> None:
        self.v1 = client.v1
        self._client = client
        self.keys = keys
        self._account = account
        self._skew = skew

    async def __call__(self, call: Call[T], *, key: str = "") -> T:
        """Make ``call``, with the next API key where one is refused (401 comes before any effect); ``key`` is the idempotency key.

        Raises ExternalError, with the SDK's own as its cause.
        """
        refused: ExternalError | None = None
        asked_at = self._skew.asked_at()
        for api_key in self.keys.in_order():
            try:
                answer = await call(self._options(api_key, key))
            except stripe.AuthenticationError as error:
                refused = translate(error)
                refused.__cause__ = error
            except stripe.StripeError as error:
                raise translate(error) from error
            else:
                self.keys.worked(api_key)
                self._skew.note(asked_at, _headers(answer))
                return answer
        raise refused or KeyRefused("There is no Stripe API key for this account.", code="authentication")

    async def get(self, kind: str, external_id: str = "", **params: Any) -> dict[str, Any]:  # noqa: ANN401 - as JSON
        """Fetch one object, or one page where no id is given, of a ``kind`` (``checkout/sessions``) as plain JSON.

        Every event of a payment has something looked up; making the SDK's objects of an answer takes ten times as long as reading it.
        Raises ExternalError.
        """
        path = f"/v1/{kind}/{quote(external_id, safe='')}" if external_id else f"/v1/{kind}"
        answer = await self(lambda options: self._client.raw_request_async("get", path, **params, **options))
        found: dict[str, Any] = answer.data
        return found

    def _options(self, api_key: str, key: str) -> stripe.RequestOptions:
        options: stripe.RequestOptions = {"api_key": api_key}
        if self._account:
            options["stripe_account"] = self._account
        if key:
            options["idempotency_key"] = key
        return options

    async def pages(self, fetch: Callable[[str, stripe.RequestOptions], Awaitable[stripe.ListObject[ItemT]]]) -> AsyncIterator[ItemT]:
        """Yield every item of a list, newest first. ``fetch`` is given the id to start after, empty for the first page."""
        after = ""
        while True:
            page = await self(partial(fetch, after))
            for item in page.data:
                yield item
            if not page.has_more or not page.data:
                return
            after = page.data[-1]["id"]


def _headers(answer: stripe.StripeObject | stripe.StripeResponse) -> Mapping[str, str]:
    response = answer if isinstance(answer, stripe.StripeResponse) else answer.last_response
    return response.headers if response is not None else {}
