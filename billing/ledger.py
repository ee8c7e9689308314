"""What is booked for a payment, its fee and what was given back of it."""

from datetime import timedelta

from core.ids import CommunityId, Ids, StripeAccountId
from core.money import Money
from core.payments import DisputeSnapshot, PaymentSnapshot
from storage.audit import Trail
from storage.database import Session
from storage.ledger import LedgerRow, book, booked

FEE_KNOWN_AFTER = timedelta(hours=1)
"""When a payment without a known fee is looked up again."""
PROCESSOR = "processor"
"""What the processor holds for the creator."""
SALES = "sales"
TIPS = "tips"
FEES = "fees"
REFUNDS = "refunds"
DISPUTES = "disputes"


class Books:
    """Posts into one community's books for one of the processor's accounts, each cause once for ever."""

    def __init__(self, session: Session, ids: Ids, community: CommunityId, account: StripeAccountId, trail: Trail) -> None:
        self._session = session
        self._ids = ids
        self._community = community
        self._account = account
        self._trail = trail

    async def payment(self, payment: PaymentSnapshot, income: str, subject: str) -> bool:
        """Book what came in, the fee once it is known, and every refund that went through; returns whether anything was new."""
        new = await self._post(PROCESSOR, income, payment.received, f"payment:{payment.external_id}", subject)
        if payment.fee is not None:
            new |= await self._post(FEES, PROCESSOR, payment.fee, f"fee:{payment.external_id}", subject)
        for refund in payment.refunds:
            if refund.status == "succeeded":
                new |= await self._post(REFUNDS, PROCESSOR, refund.amount, f"refund:{refund.external_id}", subject)
            elif refund.failed and await self._booked(f"refund:{refund.external_id}"):
                new |= await self._post(PROCESSOR, REFUNDS, refund.amount, f"refund_failed:{refund.external_id}", subject)
        return new

    async def dispute(self, dispute: DisputeSnapshot, subject: str) -> None:
        """Book what a dispute took and gave back, and what the processor kept for it."""
        for entry in dispute.entries:
            amount, fee = Money(abs(entry.amount), entry.currency), Money(abs(entry.fee), entry.currency)
            debit, credit = (DISPUTES, PROCESSOR) if entry.amount < 0 else (PROCESSOR, DISPUTES)
            await self._post(debit, credit, amount, f"dispute:{entry.external_id}", subject)
            debit, credit = (FEES, PROCESSOR) if entry.fee > 0 else (PROCESSOR, FEES)
            await self._post(debit, credit, fee, f"dispute_fee:{entry.external_id}", subject)

    async def _post(self, debit: str, credit: str, amount: Money, cause: str, subject: str) -> bool:
        if amount.minor <= 0:
            return False
        row = LedgerRow(
            id=self._ids.new(), community_id=self._community, stripe_account_id=self._account, debit=debit, credit=credit,
            amount=amount.minor, currency=amount.currency, cause=cause, subject=subject, at=self._trail.at,
        )  # fmt: skip
        return await book(self._session, row)

    async def _booked(self, cause: str) -> bool:
        return await booked(self._session, self._account, cause)
