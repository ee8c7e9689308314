"""A checkout that does not open however often it is tried."""

from collections.abc import AsyncIterator

import pytest
from sqlmodel import select

from core.errors import PermanentError, Refusal
from core.ids import Ids
from core.payments import CheckoutRequest, CheckoutSnapshot
from sandbox.clock import VirtualClock
from storage.database import Database
from storage.orders import OrderRow, OrderStatus
from storage.stripe_accounts import ENVIRONMENT
from tests.billing.market import BEN, Market, open_market


@pytest.fixture
async def market(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Market]:
    async with open_market(sqlite_database, clock, ids) as opened:
        yield opened


async def statuses(market: Market) -> list[OrderStatus]:
    async with market.db.reading() as session:
        return [row.status for row in await session.exec(select(OrderRow))]


async def test_a_checkout_that_does_not_open_is_given_up_kindly_and_holds_no_place(market: Market) -> None:
    await market.plan()
    code = await market.link(max_uses=1)
    gateway = await market.gateways.of(ENVIRONMENT)

    async def never(request: CheckoutRequest, *, key: str) -> CheckoutSnapshot:
        raise PermanentError(f"{key} was used with other words than {request.reference}", code="idempotency")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway, "create_checkout", never)
        with pytest.raises(Refusal, match="Please go back to the link and try once more") as refused:
            await market.checkouts.start(code, BEN, cause=market.cause())
    assert refused.value.code == "checkout_unsettled"
    assert set(await statuses(market)) == {OrderStatus.EXPIRED}
    assert (await market.checkouts.start(code, BEN, cause=market.cause())).url
