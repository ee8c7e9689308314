from collections.abc import Sequence
from types import TracebackType
from typing import Self

from billing.stripe.caller import Keyring
from billing.stripe.client import RETRIES, TIMEOUT, HttpClient, make_client
from billing.stripe.gateway import StripeGateway
from core.clock import Clock


class GatewayPool:
    """Gateways for any number of accounts over one connection pool. Enter it in the event loop that uses it; leaving closes all.

    ``api_url`` is empty for Stripe itself. ``timeout`` is in seconds per try, ``retries`` the tries after the first.
    """

    def __init__(self, clock: Clock, *, api_url: str = "", timeout: float = TIMEOUT, retries: int = RETRIES) -> None:
        self._clock = clock
        self._api_url = api_url
        self._retries = retries
        self._http = HttpClient(timeout)
        self._keyrings: dict[tuple[str, ...], Keyring] = {}
        self._gateways: dict[tuple[str, tuple[str, ...]], StripeGateway] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._gateways.clear()
        self._keyrings.clear()
        await self._http.close_async()

    def gateway(self, keys: Sequence[str], account: str = "") -> StripeGateway:
        """Return the gateway of ``account`` (empty: the keys' own) reached with ``keys``, the preferred first.

        Gateways with the same keys share what was learnt of them. Raises PermanentError when there is no key.
        """
        held = tuple(keys)
        if (account, held) not in self._gateways:
            ring = self._keyrings.setdefault(held, Keyring(held))
            client = make_client(held[0], http=self._http, api_url=self._api_url, retries=self._retries)
            self._gateways[account, held] = StripeGateway(client, ring, self._clock, account)
        return self._gateways[account, held]
