"""Which gateway speaks for which of our Stripe accounts."""

from collections.abc import Sequence

from billing.stripe.accounts import GatewayPool
from core.errors import PermanentError
from core.ids import StripeAccountId
from core.payments import PaymentGateway
from storage.database import Database
from storage.stripe_accounts import StripeAccountKind, StripeAccountRow


class Gateways:
    """Finds an account's key: the environment's, or a restricted one of its own. Implements core.payments.PaymentGateways."""

    def __init__(self, *, db: Database, pool: GatewayPool, environment_keys: Sequence[str]) -> None:
        self._db = db
        self._pool = pool
        self._keys = tuple(environment_keys)
        self._known: dict[StripeAccountId, PaymentGateway] = {}

    async def of(self, account: StripeAccountId) -> PaymentGateway:
        if account not in self._known:
            self._known[account] = await self._build(account)
        return self._known[account]

    async def _build(self, account: StripeAccountId) -> PaymentGateway:
        async with self._db.reading() as session:
            row = await session.get(StripeAccountRow, account)
        if row is None:
            raise PermanentError(f"there is no Stripe account {account} here", code="unknown_account")
        match row.kind:
            case StripeAccountKind.RESTRICTED if row.key:
                return self._pool.gateway([row.key])
            case StripeAccountKind.CONNECT:
                return self._pool.gateway(self._keys, row.external_id)
            case _:
                return self._pool.gateway(self._keys)
