"""The third act: time passes, things go wrong, and the right people are in or out."""

import time

from sandbox.faults import Fault, FaultKind
from sandbox.story.doors import both_doors_close
from sandbox.story.stage import Stage, check

GRACE_DAYS = 5


async def renewal(stage: Stage) -> str:
    """A month passes: Ben's card pays, Cleo's does not."""
    ben, cleo = await stage.fan("ben"), await stage.fan("cleo")
    await stage.later(days=32)
    await stage.settled()
    await stage.later(minutes=2)
    statuses = {row["status"] for row in stage.stripe("subscription")}
    check(statuses == {"active", "past_due"}, f"Stripe: one active, one past due: {statuses}")
    check(len(stage.paid(ben)) == 2, "Stripe charged Ben a second time")  # noqa: PLR2004
    check(stage.holds(ben), "Ben keeps his role")
    check(stage.holds(cleo), "Cleo keeps hers: she is in grace")
    reminder = await cleo.person.next_dm()
    while "did not go through" not in reminder.words:
        reminder = await cleo.person.next_dm()
    return "Ben renewed; Cleo is in grace and got a reminder: “" + reminder.words.splitlines()[0] + "”"


async def grace_ends(stage: Stage) -> str:
    """Cleo's grace runs out, and the sweep takes the role."""
    cleo = await stage.fan("cleo")
    await stage.later(days=GRACE_DAYS)
    await stage.until(lambda: not stage.holds(cleo), "the sweep takes Cleo's role")
    check(stage.server.has(cleo.person), "Cleo stays in the server; only the role went")
    return "Discord: the role is gone, she was not kicked"


async def cancel_keeps_access(stage: Stage) -> str:
    """Ben cancels in the portal and keeps what he paid for."""
    ben = await stage.fan("ben")
    reply = await ben.person.command(stage.server, "manage")
    await stage.town.cashiers.cancel_subscription(reply.link("Open"))
    await stage.stays(lambda: stage.holds(ben), "Ben keeps the role until the period ends")
    row = next(row for row in stage.stripe("subscription") if row["status"] == "active")
    check(row["cancel_at_period_end"] or row["cancel_at"], "Stripe: it ends with the period")
    return "Stripe: it ends with the period. Discord: the role stays until then"


async def leaves_and_rejoins(stage: Stage) -> str:
    """Dora pays, leaves the server and comes back."""
    dora = await stage.buys("dora")
    dora.person.leave(stage.server)
    await stage.stays(lambda: not stage.server.has(dora.person), "Dora is out")
    dora.person.join(stage.server, stage.server.invite())
    await stage.until(lambda: stage.holds(dora), "her role is back")
    check(len(stage.paid(dora)) == 1, "Stripe charged her once")
    return "the role is back by itself, nothing was charged"


async def platform_is_down(stage: Stage) -> str:
    """Discord is down while Emil pays."""
    emil = await stage.fan("emil")
    await stage.to_checkout(emil)
    outage = stage.town.wire.faults.outage("discord")
    await emil.pay()
    await stage.settled()
    check(not stage.server.has(emil.person), "nobody can be let in while Discord is down")
    shown = await emil.browser.open(emil.welcome)
    check("You are paid" in shown, f"the welcome page says that he is paid: {shown}")
    stage.town.wire.faults.lift(outage)
    await stage.later(minutes=5)
    await stage.until(lambda: stage.holds(emil), "Emil is let in once Discord is back")
    check(len(stage.paid(emil)) == 1, "Stripe charged him once")
    return "paid while Discord was down, let in when it came back, charged once"


async def webhooks_twice_and_late(stage: Stage) -> str:
    """Webhooks come twice, and late ones after the end."""
    started = time.monotonic()
    stage.town.wire.faults.add(Fault("stripe", FaultKind.DUPLICATE, "WEBHOOK", times=20, copies=3))
    fay = await stage.buys("fay")
    stage.measure(fay, started)
    await stage.settled()
    stage.town.wire.faults.rules.clear()
    check(len(stage.paid(fay)) == 1, "Stripe charged her once")
    changes = len(stage.server.audit_log())
    for event in stage.stripe("event"):
        if event["type"].startswith(("checkout.session.completed", "customer.subscription.created")):
            stage.town.stripe.redeliver(event.id)
    ben = await stage.fan("ben")
    await stage.stays(lambda: not stage.holds(ben) and stage.holds(fay), "late webhooks of Ben's first payment revive nothing")
    check(len(stage.server.audit_log()) == changes, "Discord saw not one change")
    return "three deliveries of each, then old ones again: no second effect"


ACT = (
    renewal,
    grace_ends,
    cancel_keeps_access,
    both_doors_close,
    leaves_and_rejoins,
    platform_is_down,
    webhooks_twice_and_late,
)
