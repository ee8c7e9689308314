"""Who a member is at the processor: made before the first checkout, so that two checkouts at once are of one customer."""

from dataclasses import dataclass
from hashlib import blake2s

from core.errors import PermanentError
from core.ids import CommunityId, CustomerId, Ids, MemberId, StripeAccountId
from core.payments import PaymentGateway
from storage import customers
from storage.customers import CustomerRow
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Payer:
    """A member about to pay in a currency, to one of the processor's accounts, under the name their account bears."""

    community: CommunityId
    member: MemberId
    account: StripeAccountId
    currency: str
    name: str


class Customers:
    """Finds, makes and replaces customers."""

    def __init__(self, *, db: Database, ids: Ids) -> None:
        self._db = db
        self._ids = ids

    async def ensure(self, gateway: PaymentGateway, payer: Payer) -> str:
        """Return the payer's customer id, making the customer when there is none."""
        async with self._db.reading() as session:
            known = await customers.of_member(session, payer.member, payer.account, payer.currency)
        if known:
            return known
        made = await self._create(gateway, payer)
        async with self._db.transaction() as session:
            return await customers.keep(session, CustomerRow(
                id=CustomerId(self._ids.new()), community_id=payer.community, member_id=payer.member,
                stripe_account_id=payer.account, stripe_customer_id=made, currency=payer.currency))  # fmt: skip

    async def replace(self, gateway: PaymentGateway, payer: Payer, gone: str) -> None:
        """Make another customer for one that was deleted at the processor: a new start for the payer."""
        made = await self._create(gateway, payer, instead_of=gone)
        async with self._db.transaction() as session:
            await customers.replace(session, payer.account, gone, made)

    async def _create(self, gateway: PaymentGateway, payer: Payer, *, instead_of: str = "") -> str:
        """The key names all that the call says: a payer who is renamed between two tries must not be refused for it."""
        name = blake2s(payer.name.encode(), digest_size=8).hexdigest()
        key = f"customer:{payer.member}:{payer.account}:{payer.currency}:{name}:{instead_of}"
        marks = {"doorman_member": payer.member, "doorman_community": payer.community}
        return await gateway.create_customer(payer.name, marks, key=key)


def is_gone(error: PermanentError, customer: str) -> bool:
    """Whether a call was refused because the processor has this customer no more."""
    return error.code == "resource_missing" and customer in str(error)
