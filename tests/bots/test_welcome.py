"""How an order says it stands, by what it was itself paid for and by nothing else its payer has."""

from sqlmodel import select

from core.ids import OrderId, PlatformUserId
from membership.welcome import Welcome
from storage.entitlements import EntitlementRow, EntitlementState
from storage.grants import Actual, GrantRow
from storage.orders import OrderRow, OrderStatus
from tests.bots.bench import Bench


async def welcome(bench: Bench, order: OrderId) -> Welcome:
    return await bench.cases.desk.statuses.of_order(order)


async def stands(bench: Bench, order: OrderId) -> tuple[str, bool, bool]:
    found = await welcome(bench, order)
    return found.state, found.paid, found.inside


def held(bench: Bench, who: PlatformUserId) -> bool:
    return bench.role.external_id in bench.world.places[bench.space.external_id].members[who]


async def becomes(bench: Bench, order: OrderId, status: OrderStatus) -> None:
    async with bench.base.db.transaction() as session:
        (await session.get_one(OrderRow, order)).status = status


async def test_an_order_is_not_paid_because_another_plan_has_opened_its_role(bench: Bench) -> None:
    await bench.plan()
    await bench.plan(name="Silver", price="4.99 USD")
    await bench.buy(bench.fan, "Fay", "Gold")
    assert held(bench, bench.fan)
    started = await bench.start(bench.fan, "Fay", "Silver")
    for status in (OrderStatus.OPEN, OrderStatus.PENDING, OrderStatus.FAILED, OrderStatus.EXPIRED):
        await becomes(bench, started.order_id, status)
        assert await stands(bench, started.order_id) == (status.value, False, False)


async def test_a_pass_bought_again_is_not_paid_because_the_one_before_still_runs(bench: Bench) -> None:
    await bench.plan(interval="30 days")
    await bench.buy(bench.fan, "Fay")
    started = await bench.start(bench.fan, "Fay")
    for status in (OrderStatus.OPEN, OrderStatus.PENDING, OrderStatus.FAILED, OrderStatus.EXPIRED):
        await becomes(bench, started.order_id, status)
        assert await stands(bench, started.order_id) == (status.value, False, False)


async def test_whoever_is_let_in_before_the_order_is_settled_is_told_so(bench: Bench) -> None:
    """The subscription's event may come first, and opens."""
    await bench.plan()
    started = await bench.start(bench.fan, "Fay")
    assert await stands(bench, started.order_id) == ("open", False, False)
    async with bench.stripe.people() as people:
        await people.pay(started.url)
    async with bench.base.db.reading() as session:
        checkout = (await session.get_one(OrderRow, started.order_id)).checkout_session_id or ""
    gateway = await bench.base.gateways.of((await order_row(bench, started.order_id)).stripe_account_id)
    await bench.deliver("customer.subscription.created", (await gateway.checkout(checkout)).subscription)
    assert (await order_row(bench, started.order_id)).status == OrderStatus.OPEN
    assert await stands(bench, started.order_id) == ("paid", True, True)


async def order_row(bench: Bench, order: OrderId) -> OrderRow:
    async with bench.base.db.reading() as session:
        return await session.get_one(OrderRow, order)


async def test_whoever_comes_back_is_let_in_and_not_told_that_it_has_ended(bench: Bench) -> None:
    """Between the payment and the decision what it opens, the rows still say what they said when the membership before was over."""
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    async with bench.base.db.transaction() as session:
        order = (await session.exec(select(OrderRow))).one()
        grant, entitlement = (await session.exec(select(GrantRow))).one(), (await session.exec(select(EntitlementRow))).one()
        grant.wanted, grant.actual = False, Actual.REVOKED
    assert await stands(bench, order.id) == ("paid", True, False)
    async with bench.base.db.transaction() as session:
        (await session.get_one(EntitlementRow, entitlement.id)).state = EntitlementState.ENDED
    assert await stands(bench, order.id) == ("ended", True, False)
