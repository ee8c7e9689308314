"""Tips, what people are shown, and the books."""

from typing import Any

from sqlmodel import select

from sandbox.discord.people import Person
from sandbox.stripe.resource import Resource
from storage.ledger import LedgerRow
from tests.walks.shop import BANK, FAILS_LATER, Shop, page


async def tipped(shop: Shop, fan: Person, **options: Any) -> str:  # noqa: ANN401
    """Let somebody tip and pay; returns what the thanks page says."""
    reply = await fan.command(shop.server, "tip", **options)
    (button,) = reply.buttons
    thanks = await shop.stage.town.cashiers.pay(button["url"])
    await shop.stage.settled()
    return await page(thanks)


def posted(shop: Shop, channel: str = "notices") -> str:
    """Return what stands in a channel."""
    return "\n".join(message.words for message in shop.server.messages(channel))


async def test_a_tip_is_thanked_in_the_notice_channel_with_its_words_letter_by_letter(shop: Shop) -> None:
    await shop.command("doorman setup", channel=shop.server.add_channel("notices"))
    ben = shop.fan("ben", inside=True)
    words = "@everyone **bold** <@1> [click](https://example.org) # big"
    assert "5.00 USD has arrived" in await tipped(shop, ben, amount="5 USD", message=words)
    said = posted(shop)
    assert ben.mention in said
    assert "5.00 USD" in said
    assert "@everyone" not in said
    assert "**bold**" not in said
    assert "<@1>" not in said
    assert "[click](" not in said
    assert "bold" in said
    assert [one["amount"] for one in shop.stage.charges()] == [500]
    pinged = [message.message for message in shop.server.messages("notices") if message.message.payload()["mention_everyone"]]
    assert pinged == []


async def test_a_tip_without_a_name_names_nobody(sqlite_shop: Shop) -> None:
    await sqlite_shop.command("doorman setup", channel=sqlite_shop.server.add_channel("notices"))
    ben = sqlite_shop.fan("ben", inside=True)
    await tipped(sqlite_shop, ben, amount="5 USD", message="for you", anonymous=True)
    said = posted(sqlite_shop)
    assert "Somebody tipped" in said
    assert "for you" in said
    assert "ben" not in said.lower()
    assert str(ben.id) not in said


async def test_a_tip_without_a_notice_channel_is_told_to_the_creator(sqlite_shop: Shop) -> None:
    ben = sqlite_shop.fan("ben", inside=True)
    await tipped(sqlite_shop, ben, amount="5 USD")
    assert "tipped" in sqlite_shop.heard()


async def test_status_tells_a_stranger_how_to_join_and_a_member_how_they_stand(shop: Shop) -> None:
    ben = shop.fan("ben", inside=True)
    assert "You are not a member yet" in (await ben.command(shop.server, "status")).words
    await shop.buys(ben, await shop.sells())
    status = await ben.command(shop.server, "status")
    assert status.ephemeral
    assert "<t:1793610000:" in status.words
    assert "payment of 9.99 USD on <t:1796202000:" in status.words
    assert "Gold: on" in status.words
    assert status.link("Card, invoices, cancel").startswith(shop.stage.town.stripe.base_url)
    await shop.cancels(ben)
    assert "nds on <t:1796202000:" in (await ben.command(shop.server, "status")).words


async def test_status_says_what_waits_for_whom(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    ben = sqlite_shop.fan("ben", inside=True)
    checkout = await sqlite_shop.checkout(ben, link)
    sqlite_shop.server.move_role(sqlite_shop.role(), len(sqlite_shop.server.guild.roles) - 1)
    await sqlite_shop.stage.town.cashiers.pay(checkout)
    await sqlite_shop.stage.settled()
    assert "waits for the owner" in (await ben.command(sqlite_shop.server, "status")).words


async def test_manage_leads_those_who_paid_to_their_portal_and_tells_others(sqlite_shop: Shop) -> None:
    ben, eve = sqlite_shop.fan("ben"), sqlite_shop.fan("eve", inside=True)
    await sqlite_shop.buys(ben, await sqlite_shop.sells())
    assert "Cancel subscription" in await sqlite_shop.stage.town.cashiers.look(await sqlite_shop.portal(ben))
    assert "You have not paid for anything here yet" in (await eve.command(sqlite_shop.server, "manage")).words


async def test_the_books_sum_to_zero_and_say_what_stripe_says(shop: Shop) -> None:
    link = await shop.sells()
    await shop.plan("Pass", interval="30 days", price="20 USD")
    ben, eve, kim = shop.fan("ben"), shop.fan("eve"), shop.fan("kim", inside=True)
    await shop.buys(ben, link)
    await shop.buys(eve, link, FAILS_LATER)
    await shop.buys(kim, await shop.link("Pass"), bank_account=BANK)
    await tipped(shop, kim, amount="5 USD")
    await shop.stage.town.cashiers.refund(shop.stage.charges()[0].id, 333)
    await shop.stage.advance(days=40)
    await shop.stage.town.cashiers.refund(shop.stage.charges()[-1].id)
    await shop.stage.advance(days=1)
    rows = await shop.stage.rows(select(LedgerRow))
    assert sum(balances(rows).values()) == 0
    assert balances(rows) == stripes_balances(shop)


def balances(rows: list[LedgerRow]) -> dict[str, int]:
    """Return what each account of the books holds."""
    held: dict[str, int] = {}
    for row in rows:
        held[row.debit] = held.get(row.debit, 0) + row.amount
        held[row.credit] = held.get(row.credit, 0) - row.amount
    return held


def stripes_balances(shop: Shop) -> dict[str, int]:
    """Return what the books should hold, worked out from Stripe's own objects."""
    charges = shop.stage.charges()
    tips = [one for one in charges if _tip(shop, one)]
    fees = sum(one["fee"] for one in shop.stage.stripe.table("balance_transaction"))
    refunds = sum(one["amount"] for one in shop.stage.stripe.table("refund") if one["status"] == "succeeded")
    taken = sum(one["amount"] for one in charges)
    sold = taken - sum(one["amount"] for one in tips)
    return {"processor": taken - fees - refunds, "sales": -sold, "tips": -(taken - sold), "fees": fees, "refunds": refunds}


def _tip(shop: Shop, charge: Resource) -> bool:
    intent = shop.stage.stripe.table("payment_intent").get(charge["payment_intent"])
    return "tip" in intent["metadata"].values()
