"""What is sold and how it changes, from chat."""

import re
from datetime import timedelta

from sqlmodel import select

from bots.commands import COMMANDS
from core.commands import CommandReply
from storage.gifts import GiftRow
from tests.bots.bench import Bench, text


async def press(bench: Bench, user: str, reply: CommandReply, label: str) -> CommandReply:
    """Press a button of an answer."""
    button = next(button for button in reply.buttons if label in button.label)
    name, _, argument = button.action.partition(":")
    return await bench.ask(user, name, argument=argument)  # type: ignore[arg-type]


# prices and terms


async def test_a_second_price_is_added_shown_and_taken_away(bench: Bench) -> None:
    await bench.plan()
    said = text(await bench.ask(bench.creator, "doorman price add", plan="Gold", price="99 USD", interval="year"))
    assert "Gold costs 9.99 USD per month and 99.00 USD per year" in said
    assert "costs 9.99 USD per month or 99.00 USD per year" in text(await bench.ask(bench.fan, "join"))
    gone = text(await bench.ask(bench.creator, "doorman price remove", plan="Gold", interval="year"))
    assert "Gold costs 9.99 USD per month now" in gone


async def test_people_may_pay_what_they_like_from_a_floor(bench: Bench) -> None:
    await bench.plan()
    said = text(await bench.ask(bench.creator, "doorman price add", plan="Gold", price="20", interval="once", floor="5"))
    assert "what you like from 5.00 USD once, for life (20.00 USD suggested)" in said


async def test_a_price_change_says_whom_it_concerns(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    asked = {"plan": "Gold", "price": "12.99", "interval": "month"}
    moved = text(await bench.ask(bench.creator, "doorman price change", **asked, members="move", notice_days=14))
    assert "1 member is told now, and pay it from their first renewal in 14 days or later" in moved
    assert any("costs 12.99 USD per month instead of 9.99 USD" in words for words in bench.world.somebody(bench.fan).inbox)


async def test_a_plan_s_terms_are_set_and_said(bench: Bench) -> None:
    await bench.plan()
    said = text(await bench.ask(bench.creator, "doorman plan set", plan="Gold", seats=10, trial_days=7, trial_card=False, approval=True))
    assert said == (
        "Gold is set | Gold has 10 seats, 10 of them free. One may try it for 7 days, without a card, once. "
        "Whoever wants it asks you first."
    )


async def test_the_list_says_how_many_seats_are_free(bench: Bench) -> None:
    await bench.plan()
    await bench.ask(bench.creator, "doorman plan set", plan="Gold", seats=2, approval=False)
    await bench.buy(bench.fan, "Fay")
    assert "1 member, 1 seat of 2 free." in text(await bench.ask(bench.creator, "doorman plan list"))


# seats


async def test_who_finds_it_sold_out_gets_in_line_and_out_again(bench: Bench) -> None:
    await bench.plan()
    await bench.ask(bench.creator, "doorman plan set", plan="Gold", seats=1)
    await bench.buy(bench.creator, "Cleo")
    sold_out = await bench.ask(bench.fan, "join")
    assert text(sold_out).startswith("Gold is sold out | All 1 seats are taken.")
    waits = await press(bench, bench.fan, sold_out, "Get in line")
    assert text(waits).startswith("You are number 1 in line")
    assert text(await press(bench, bench.fan, waits, "Get out")).startswith("You are out of the line")


async def test_whose_turn_it_is_is_told_and_may_buy(bench: Bench) -> None:
    await bench.plan()
    await bench.ask(bench.creator, "doorman plan set", plan="Gold", seats=1)
    await bench.buy(bench.creator, "Cleo")
    await press(bench, bench.fan, await bench.ask(bench.fan, "join"), "Get in line")
    await bench.ask(bench.creator, "doorman plan set", plan="Gold", seats=2)
    await bench.cases.desk.waitlist.run()
    await bench.dispatcher.settled()
    assert any("A seat of Gold is kept for you until" in words for words in bench.world.somebody(bench.fan).inbox)
    await bench.buy(bench.fan, "Fay")


# what is given


async def test_comp_days_are_given_and_told(bench: Bench) -> None:
    await bench.plan()
    said = text(await bench.ask(bench.creator, "doorman comp", who=bench.fan, plan="Gold", days=10))
    assert said.startswith("10 days for @Fay | Gold is on its way. @Fay has it until ")
    assert any("10 days of Gold for you, for nothing." in words for words in bench.world.somebody(bench.fan).inbox)


async def test_a_gift_is_paid_and_had(bench: Bench) -> None:
    await bench.plan()
    reply = await bench.ask(bench.creator, "gift", plan="Gold", who=bench.fan)
    assert "A gift for 9.99 USD | Gold for a month. It does not renew." in text(reply)
    async with bench.stripe.people() as people:
        await people.pay(reply.buttons[0].url)
    async with bench.base.db.reading() as session:
        gift = (await session.exec(select(GiftRow))).one()
    await bench.deliver("checkout.session.completed", gift.checkout_session_id or "")
    assert "Active." in text(await bench.ask(bench.fan, "status"))
    assert any("Cleo gives you Gold for a month." in words for words in bench.world.somebody(bench.fan).inbox)


async def test_a_gift_link_is_taken_in_chat_once(bench: Bench) -> None:
    await bench.plan()
    reply = await bench.ask(bench.creator, "gift", plan="Gold")
    link = re.search(r"http\S+/gift/[\w-]+", text(reply))
    assert link
    async with bench.stripe.people() as people:
        await people.pay(reply.buttons[0].url)
    async with bench.base.db.reading() as session:
        gift = (await session.exec(select(GiftRow))).one()
    await bench.deliver("checkout.session.completed", gift.checkout_session_id or "")
    assert text(await bench.ask(bench.fan, "claim", code=link[0])).startswith("A gift from Cleo | Gold is yours for a month.")
    assert "has been taken already" in text(await bench.ask(bench.creator, "claim", code=link[0]))


# codes


async def test_a_code_is_made_shown_and_ended(bench: Bench) -> None:
    await bench.plan()
    made = text(await bench.ask(bench.creator, "doorman coupon create", code="spring-25", off="25%", months=3, uses=100, plan="Gold"))
    assert made.startswith("SPRING-25 takes 25 % off | 25 % off 3 months of Gold, 100 times in all. People type it on the payment page.")
    assert "SPRING-25: 25 % off 3 months of Gold, 100 times in all. Used 0 times." in text(
        await bench.ask(bench.creator, "doorman coupon list")
    )
    assert "works no more" in text(await bench.ask(bench.creator, "doorman coupon end", code="Spring-25"))
    assert "Say what it takes off, like 20% or 5 USD." in text(
        await bench.ask(bench.creator, "doorman coupon create", code="ABC", off="200%")
    )


# changes


async def test_a_member_changes_their_plan_with_a_button(bench: Bench) -> None:
    await bench.plan(name="Silver", price="5 USD")
    await bench.buy(bench.fan, "Fay")
    await bench.plan()
    ways = await bench.ask(bench.fan, "change")
    done = await press(bench, bench.fan, ways, "Gold")
    assert text(done) == "Gold, 9.99 USD per month | You have Gold now. What was paid before is taken into account."
    assert "Next payment of 9.99 USD" in text(await bench.ask(bench.fan, "status"))


async def test_the_creator_moves_a_member(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    await bench.plan(name="Silver", price="5 USD")
    said = text(await bench.ask(bench.creator, "doorman move", who=bench.fan, plan="silver"))
    assert re.match(r"@Fay and Silver \| @Fay has what was paid for until .*, then Silver for 5.00 USD per month.", said)
    assert any("changes what you subscribe to: Silver" in words for words in bench.world.somebody(bench.fan).inbox)
    assert "can't be moved to “Bronze”" in text(await bench.ask(bench.creator, "doorman move", who=bench.fan, plan="Bronze"))


async def test_a_member_pauses_and_resumes(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    assert text(await bench.ask(bench.fan, "pause", months=2)).startswith("Your subscription is paused | Your Gold stays on until ")
    assert "Paused." in text(await bench.ask(bench.fan, "status"))
    assert "Nothing is charged before its next payment." in text(await bench.ask(bench.fan, "resume"))


async def test_who_cancels_is_asked_why_and_offered_something_to_stay(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    await bench.ask(bench.creator, "doorman retention", percent=20, months=2)
    why = await bench.ask(bench.fan, "cancel")
    assert why.buttons[0].label == "It costs too much"
    offer = await press(bench, bench.fan, why, "It costs too much")
    assert "Stay, and 20 % is taken off 2 months." in text(offer)
    assert "20 % is taken off 2 months of your Gold" in text(await press(bench, bench.fan, offer, "Stay"))
    offer = await press(bench, bench.fan, await bench.ask(bench.fan, "cancel"), "I don't use it enough")
    ended = await press(bench, bench.fan, offer, "Cancel anyway")
    assert text(ended).startswith("Your subscription is cancelled | Thank you for saying why.")
    (held,) = bench.stripe.account.table("subscription").rows
    assert held["cancellation_details"]["feedback"] == "unused"


async def test_the_button_of_manage_begins_to_cancel(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    reply = await bench.ask(bench.fan, "manage")
    assert text(await press(bench, bench.fan, reply, "Cancel")).startswith("Before you go: why?")


# approval


async def test_the_creator_accepts_with_a_button_in_the_notice_s_place_or_by_command(bench: Bench) -> None:
    await bench.plan()
    await bench.ask(bench.creator, "doorman plan set", plan="Gold", approval=True)
    link = (await bench.ask(bench.fan, "join")).buttons[0].url
    assert "asks for Gold" not in text(await bench.ask(bench.creator, "doorman applications"))
    started = await bench.tries(bench.fan, "Fay", link)
    assert started == "asked_first"
    waiting = await bench.ask(bench.creator, "doorman applications")
    assert "Fay: asks for Gold" in text(waiting)
    assert "Only someone who may manage" in text(await press(bench, bench.fan, waiting, "Accept"))
    assert text(await press(bench, bench.creator, waiting, "Accept")).startswith("Fay is accepted")
    assert any("You may have Gold now." in words for words in bench.world.somebody(bench.fan).inbox)
    assert await bench.tries(bench.fan, "Fay", link) == ""


def test_every_button_s_command_can_be_pressed() -> None:
    assert {command.spec.words for command in COMMANDS if command.spec.kind == "button"} == {
        ("move",),
        ("leave",),
        ("application",),
        ("wait",),
        ("refund", "order"),
    }


async def test_who_changes_plan_is_given_the_new_role_before_the_old_one_is_taken_however_often_it_fails(bench: Bench) -> None:
    await bench.plan(name="Silver", price="5 USD")
    await bench.buy(bench.fan, "Fay")
    gold = bench.world.thing(bench.space, "Gold only")
    await bench.plan(role=gold.external_id)
    has = bench.world.places[bench.space.external_id].members[bench.fan]
    ways = await bench.ask(bench.fan, "change")
    thing = bench.world.places[bench.space.external_id].things[gold.external_id]
    thing.busy = True
    await press(bench, bench.fan, ways, "Gold")
    assert has == {bench.role.external_id}, "the old one stays until the new one is there"
    thing.busy = False
    bench.clock.advance(timedelta(minutes=2))
    await bench.dispatcher.settled()
    for lane in await bench.due():
        bench.dispatcher.wake(lane)
    await bench.dispatcher.settled()
    assert has == {gold.external_id}
