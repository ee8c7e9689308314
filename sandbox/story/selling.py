"""The first act: from adding the bot to the first member inside."""

import time

from sandbox.cast import PERMISSIONS
from sandbox.story.stage import Stage, check, link_in


async def bot_is_added(stage: Stage) -> str:
    """Ann adds the bot to her server."""
    await stage.town.discord.people.add_bot(stage.server, PERMISSIONS)
    hello = await stage.ann.next_dm()
    check("/doorman plan create" in hello.words, f"the bot says hello: {hello.words}")
    return "the bot is in, and has told Ann the three steps"


async def plan_is_made(stage: Stage) -> str:
    """Ann makes a plan."""
    await stage.ann.command(
        stage.server, "doorman plan create", name="Gold", price="9.99 USD", interval="month", role=stage.role, description="Every recipe."
    )
    prices = [(row["unit_amount"], row["currency"], row["recurring"]["interval"]) for row in stage.stripe("price")]
    check(prices == [(999, "usd", "month")], f"one price of 9.99 USD a month at Stripe: {prices}")
    return "Stripe has the product and a price of 9.99 USD per month"


async def link_is_posted(stage: Stage) -> str:
    """Ann posts a paid invite link."""
    reply = await stage.ann.command(stage.server, "doorman invite", plan="Gold", tag="newsletter")
    check(reply.ephemeral, "only Ann sees the answer")
    stage.links["Gold"] = link_in(reply.words)
    stage.ann.say(stage.server, f"Come in: {stage.link}")
    return "the link is in the channel"


async def stranger_opens_it(stage: Stage) -> str:
    """Ben, a stranger, opens the link."""
    ben = await stage.fan("ben")
    shown = await ben.open(stage.link)
    check(ben.browser.status == 200 and "Gold" in shown and "9.99 USD" in shown, f"the page names plan and price: {shown}")  # noqa: PLR2004
    check(not stage.server.has(ben.person), "Ben is not in the server yet")
    return "the page names Ann's Kitchen, Gold, 9.99 USD per month"


async def stranger_is_inside(stage: Stage) -> str:
    """Ben continues with Discord, pays, and is inside with the role."""
    started = time.monotonic()
    ben = await stage.buys("ben")
    stage.measure(ben, started)
    check(len(stage.paid(ben)) == 1, "Stripe charged Ben once")
    shown = await ben.browser.open(ben.welcome)
    await stage.settled()
    shown = await ben.browser.open(ben.welcome)
    check("You are in" in shown, f"the welcome page lets him in: {shown}")
    welcome = await ben.person.next_dm()
    check("Gold" in welcome.words, f"a welcome by direct message: {welcome.words}")
    return "Discord: in the server with Gold. Stripe: one subscription, one charge"


async def card_is_declined(stage: Stage) -> str:
    """Cleo's card is declined."""
    cleo = await stage.fan("cleo")
    checkout = await stage.to_checkout(cleo)
    told = await cleo.decline()
    await stage.stays(lambda: not stage.server.has(cleo.person), "Cleo is not let in")
    again = await stage.to_checkout(cleo)
    check(again == checkout, "her second click finds the same checkout, so she can't pay twice")
    return f"told “{told}”; not let in, not charged, and can try again"


async def second_member(stage: Stage) -> str:
    """Cleo takes another card, one that will fail at the first renewal."""
    cleo = await stage.buys("cleo", "4000000000000341")
    check(len(stage.paid(cleo)) == 1, "Stripe charged Cleo once")
    return "in the server with Gold"


ACT = (
    bot_is_added,
    plan_is_made,
    link_is_posted,
    stranger_opens_it,
    stranger_is_inside,
    card_is_declined,
    second_member,
)
