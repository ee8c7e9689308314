"""A processor in memory that opens checkouts at once, for tests in which many people buy at the same time."""

import asyncio
from collections.abc import Mapping
from typing import cast

from core.ids import StripeAccountId
from core.money import Money
from core.payments import CheckoutRequest, CheckoutSnapshot, CheckoutStatus, PaymentGateway, PaymentState


class Till:
    """Answers after a turn of the loop, so that others come in between."""

    def __init__(self) -> None:
        self.sessions: dict[str, CheckoutSnapshot] = {}
        self.asked: list[CheckoutRequest] = []

    async def of(self, _account: StripeAccountId) -> PaymentGateway:
        return cast("PaymentGateway", self)

    async def create_customer(self, name: str, metadata: Mapping[str, str], *, key: str) -> str:
        await asyncio.sleep(0)
        assert name
        assert metadata
        return f"cus_{key}"

    async def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutSnapshot:
        await asyncio.sleep(0)
        if key not in self.sessions:
            self.asked.append(request)
            self.sessions[key] = CheckoutSnapshot(
                external_id=f"cs_{request.reference}", url=f"https://pay.example/{request.reference}", status=CheckoutStatus.OPEN,
                payment=PaymentState.UNPAID, reference=request.reference, kind=request.kind, customer=request.customer, subscription="",
                payment_intent="", total=Money(999, "USD"), expires_at=request.expires_at,
            )  # fmt: skip
        return self.sessions[key]

    async def checkout(self, external_id: str) -> CheckoutSnapshot:
        await asyncio.sleep(0)
        return next(session for session in self.sessions.values() if session.external_id == external_id)
