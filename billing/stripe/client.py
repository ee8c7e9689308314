"""Stripe's client, with everything its defaults leave out said aloud: retries, timeout, version, and a session that closes."""

from collections.abc import Mapping

import aiohttp
import stripe

from billing.stripe.events import API_VERSION

TIMEOUT = 20.0
"""Seconds one try may take; the SDK would wait 80."""
RETRIES = 2
"""Tries after the first, on broken connections, 409 and 5xx. A StripeClient makes none unless told."""


class HttpClient(stripe.AIOHTTPClient):
    """One connection pool, for one event loop: open it where it is used, and ``close_async`` it there."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        super().__init__(timeout=aiohttp.ClientTimeout(total=timeout))

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: object = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """The SDK lets a connection that breaks in the middle of a body through as it is, and so would not retry it."""
        try:
            return await super().request_async(method, url, headers, post_data)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._handle_request_error(error)

    async def close_async(self) -> None:
        """Close the pool, if it was ever opened: the SDK would open one to close it."""
        if self._cached_session is not None:
            await self._cached_session.close()


def make_client(api_key: str, *, http: HttpClient, api_url: str = "", retries: int = RETRIES) -> stripe.StripeClient:
    """Return a client for ``api_url`` (empty: Stripe itself). It shares ``http`` with others and does not close it."""
    stripe.enable_telemetry = False  # it would write an id into the home directory and send it along
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": api_url.rstrip("/") or stripe.DEFAULT_API_BASE},
        stripe_version=API_VERSION,
        max_network_retries=retries,
        http_client=http,
    )
