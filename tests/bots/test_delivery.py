"""Nobody pays and is left outside: another way in is offered, then the creator is asked and may give the money back."""

from datetime import timedelta

from sqlmodel import select

from bots.jobs import sweeper
from core.ids import PlatformUserId
from membership.delivery import ASK_AFTER, NUDGE_AFTER
from storage.deliveries import DeliveryRow
from storage.entitlements import EntitlementRow, EntitlementState
from storage.orders import OrderRow
from tests.bots.bench import PUBLIC_URL, Bench, text


async def later(bench: Bench, by: timedelta) -> None:
    """Let time pass, have what is due looked at, and what follows carried out."""
    bench.clock.advance(by)
    await sweeper(bench.base, bench.cases).run()
    await bench.dispatcher.settled()


async def delivery(bench: Bench) -> DeliveryRow:
    async with bench.base.db.reading() as session:
        return (await session.exec(select(DeliveryRow))).one()


async def outside(bench: Bench, interval: str = "month") -> None:
    """Somebody buys what the platform does not let us give, whatever they do."""
    await bench.plan(interval=interval)
    bench.world.places[bench.space.external_id].banned.add(bench.fan)
    await bench.adapter.leave(bench.space, bench.fan)
    await bench.buy(bench.fan, "Fay")
    await bench.dispatcher.settled()


def mail(bench: Bench, who: PlatformUserId) -> list[str]:
    return bench.world.people[who].inbox


async def test_whoever_is_inside_is_watched_no_longer(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    await later(bench, timedelta(minutes=1))
    row = await delivery(bench)
    assert (row.outcome, row.done_at) == ("inside", bench.clock.now())
    await later(bench, ASK_AFTER)
    assert not any("paid" in line and "outside" in line for line in mail(bench, bench.creator))


async def test_somebody_outside_is_shown_another_way_in_once_and_the_invite_is_made_anew(bench: Bench) -> None:
    await outside(bench)
    await later(bench, NUDGE_AFTER - timedelta(seconds=1))
    assert not [line for line in mail(bench, bench.fan) if "one step is left" in line]
    for _ in range(3):
        await later(bench, timedelta(minutes=1))
    (told,) = [line for line in mail(bench, bench.fan) if "one step is left" in line]
    async with bench.base.db.reading() as session:
        order = (await session.exec(select(OrderRow))).one()
    assert f"{PUBLIC_URL}/welcome/{order.id}" in told
    assert (await delivery(bench)).why == "Gold member: they have not come into Cleo's place yet"


async def test_after_a_day_the_creator_is_asked_once_with_the_money_and_one_press_gives_it_back(bench: Bench) -> None:
    await outside(bench)
    for _ in range(3):
        await later(bench, ASK_AFTER)
    (told,) = [line for line in mail(bench, bench.creator) if line.startswith("Somebody paid and is outside")]
    assert "Fay paid 9.99 USD for Gold" in told
    tasks = await bench.ask(bench.creator, "doorman tasks")
    assert "Gold: 9.99 USD: Fay paid on 2 November 2026, 09:00 UTC and is not inside: " in text(tasks)
    (button,) = tasks.buttons
    assert button.label == "Refund 9.99 USD to @Fay"
    command, _, order = button.action.partition(":")
    said = text(await bench.ask(bench.creator, command, argument=order))
    assert said == (
        "@Fay is not charged any more | Their Gold has ended. 9.99 USD is on its way back to them. They may buy again any time."
    )
    (payment,) = bench.stripe.account.table("refund").rows
    assert payment["amount"] == 999
    (subscription,) = bench.stripe.account.table("subscription").rows
    assert subscription["status"] == "canceled", "else they would be charged again"
    async with bench.base.db.reading() as session:
        assert (await session.exec(select(EntitlementRow))).one().state == EntitlementState.ENDED
    await later(bench, timedelta(hours=1))
    assert (await delivery(bench)).outcome == "over"
    assert "Nothing to do" in text(await bench.ask(bench.creator, "doorman tasks"))
    again = text(await bench.ask(bench.creator, command, argument=order))
    assert "They are in by now, or it is settled otherwise" in again
    assert len(bench.stripe.account.table("refund").rows) == 1


async def test_a_single_payment_is_given_back_too(bench: Bench) -> None:
    await outside(bench, "30 days")
    await later(bench, ASK_AFTER)
    (button,) = (await bench.ask(bench.creator, "doorman tasks")).buttons
    assert "9.99 USD is on its way back" in text(await bench.ask(bench.creator, "refund order", argument=button.action.partition(":")[2]))


async def test_whoever_comes_in_after_all_is_no_task_any_more(bench: Bench) -> None:
    await outside(bench)
    await later(bench, ASK_AFTER)
    bench.world.places[bench.space.external_id].banned.clear()
    await bench.adapter.join(bench.space, bench.fan)
    await bench.dispatcher.settled()
    await later(bench, timedelta(hours=1))
    assert (await delivery(bench)).outcome == "inside"
    assert "Nothing to do" in text(await bench.ask(bench.creator, "doorman tasks"))


async def test_what_waits_for_the_creator_s_hand_is_asked_about_with_what_is_wrong(bench: Bench) -> None:
    await bench.plan()
    started = await bench.start(bench.fan, "Fay")
    bench.world.places[bench.space.external_id].things[bench.role.external_id].reachable = False
    async with bench.stripe.people() as people:
        await people.pay(started.url)
    async with bench.base.db.reading() as session:
        order = await session.get_one(OrderRow, started.order_id)
    await bench.deliver("checkout.session.completed", order.checkout_session_id or "")
    await later(bench, ASK_AFTER)
    assert (await delivery(bench)).why == "Gold member: “Gold member” stands above the bot. Put the bot above it"


async def test_somebody_else_s_order_is_not_given_back(bench: Bench) -> None:
    assert "settled otherwise" in text(await bench.ask(bench.creator, "refund order", argument="another"))
