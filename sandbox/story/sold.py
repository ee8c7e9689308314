"""The last act: what else is sold, what is given back, what breaks and is mended, and one member's whole story."""

from sandbox.story.stage import WITHIN, Stage, check, link_in

PLATINUM = "Platinum"
DISPUTED = "4000000000000259"
"""A card whose owner disputes what was paid with it."""


async def trial(stage: Stage) -> str:
    """Ann sells Platinum with a free week, and Gina tries it."""
    await stage.ann.command(
        stage.server,
        "doorman plan create",
        name=PLATINUM,
        price="19.99 USD",
        interval="month",
        role=stage.server.role(PLATINUM),
        trial_days=7,
    )
    stage.links[PLATINUM] = link_in((await stage.ann.command(stage.server, "doorman invite", plan=PLATINUM)).words)
    gina = await stage.buys("gina", plan=PLATINUM)
    check(not _amounts(stage, "gina"), "nothing was charged for the week")
    await stage.later(days=7, hours=2)
    await stage.settled()
    check(_amounts(stage, "gina") == [1999], f"after the week she pays the first month: {_amounts(stage, 'gina')}")
    check(stage.holds(gina, PLATINUM), "Gina stays")
    return "inside at once for nothing; 19.99 USD were charged a week later"


async def gift(stage: Stage) -> str:
    """Dora gives Hal, who is in the server, a month of Gold."""
    dora, hal = await stage.fan("dora"), await stage.fan("hal")
    hal.person.join(stage.server, stage.server.invite())
    reply = await dora.person.command(stage.server, "gift", plan="Gold", who=hal.person)
    await stage.town.cashiers.pay(reply.link("Pay 9.99 USD"))
    await stage.until(lambda: stage.holds(hal), "Hal holds Gold")
    told = await hal.person.next_dm()
    check("dora" in told.words.lower(), f"Hal is told whom it is from: {told.words}")
    check(not _amounts(stage, "hal"), "Hal paid nothing")
    return "Hal holds Gold, and was told that it is from Dora"


async def plan_change(stage: Stage) -> str:
    """Dora changes from Gold to Platinum."""
    dora = await stage.fan("dora")
    offered = await dora.person.command(stage.server, "change")
    before = len(stage.server.audit_log())
    way = next(button["label"] for button in offered.buttons if button["label"].startswith(PLATINUM))
    await dora.person.click(offered, way)
    await stage.until(lambda: stage.holds(dora, PLATINUM) and not stage.holds(dora), "Dora holds Platinum, and Gold no more")
    changes = [entry for entry in stage.server.audit_log()[before:] if entry.target_id == dora.person.id]
    check(len(changes) == 2, f"one role given, one taken: {changes}")  # noqa: PLR2004
    month, given, *rest = _amounts(stage, "dora")
    check(
        (month, given, len(rest)) == (999, 999, 1), f"Stripe charged her month, her gift and now the difference: {month}, {given}, {rest}"
    )
    check(0 < rest[0] < 1000, f"the difference is for what is left of the month: {rest}")  # noqa: PLR2004
    return f"the new role came before the old one went; the difference for what is left of the month was {rest[0] / 100:.2f} USD"


async def role_above(stage: Stage) -> str:
    """Ann drags Gold above the bot's own role, and puts it right."""
    ivo = await stage.fan("ivo")
    await stage.to_checkout(ivo)
    stage.server.move_role(stage.role, len(stage.server.guild.roles) - 1)
    while "needs your hand" not in (warning := await stage.ann.next_dm()).words:
        pass
    shown = await (await stage.fan("jo")).open(stage.link)
    check("can't be delivered right now" in shown, f"Gold is not sold meanwhile: {shown}")
    await ivo.pay()
    await stage.stays(lambda: not stage.holds(ivo), "Ivo, who was at the till, waits")
    stage.server.raise_bot()
    await stage.until(lambda: stage.holds(ivo), "Ivo is let in once the order of the roles is right")
    await _sold_again(stage)
    return "Ann was told at once: “" + warning.words.splitlines()[-1] + "” Sale paused, Ivo waited, both went on by themselves"


async def refund(stage: Stage) -> str:
    """Ann gives Emil his money back."""
    emil = await stage.fan("emil")
    (*_, charge) = stage.paid(emil)
    await stage.town.cashiers.refund(charge.id)
    await stage.until(lambda: not stage.holds(emil), "Emil's role goes with the money")
    told = await emil.person.next_dm()
    while "refund" not in told.words:
        told = await emil.person.next_dm()
    return "the role went with the money, and Emil was told why"


async def dispute(stage: Stage) -> str:
    """Kim's bank takes her payment back, and Ann shows that she had what she paid for."""
    kim = await stage.buys("kim", DISPUTED)
    await stage.later(hours=2)
    await stage.until(lambda: not stage.holds(kim), "Kim's role is on hold while the payment is disputed")
    warning = await stage.ann.next_dm()
    while "is disputed" not in warning.words:
        warning = await stage.ann.next_dm()
    (one,) = stage.stripe("dispute")
    await stage.town.cashiers.answer_dispute(one.id, convincing=True)
    await stage.until(lambda: stage.holds(kim), "Kim's role is back once Ann has won")
    return "the role was on hold, Ann was told by when to answer; she won, and it came back by itself"


async def why(stage: Stage) -> str:
    """Ann asks why Emil has what he has."""
    emil = await stage.fan("emil")
    reply = await stage.ann.command(stage.server, "doorman why", who=emil.person)
    said = reply.words
    check("refund" in said.lower() and "Gold" in said, f"each payment and what came of it: {said}")
    return f"{len(reply.embeds[0]['fields'])} causes, from his payment to the refund, each with what the platform answered"


async def _sold_again(stage: Stage) -> None:
    """Open the link until Gold is on sale: who waited is let in first."""
    jo = await stage.fan("jo")
    for _ in range(int(WITHIN)):
        await stage.settled()
        shown = await jo.open(stage.link)
        if "9.99 USD" in shown:
            return
    check(holds=False, what=f"Gold is sold again: {shown}")


def _amounts(stage: Stage, name: str) -> list[int]:
    """What Stripe charged somebody, in the order it did."""
    return [row["amount"] for row in stage.paid(stage.fans[name])]


ACT = (trial, gift, plan_change, role_above, refund, dispute, why)
