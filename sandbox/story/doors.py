"""The second act: the same community on Slack. One payment opens both doors, and its end closes both."""

from dataclasses import dataclass

from sandbox.people import Fan
from sandbox.slack.channels import Channel
from sandbox.slack.person import Person
from sandbox.slack.workspaces import Workspace
from sandbox.story.stage import WITHIN, Failed, Stage, check, link_in


@dataclass(frozen=True, slots=True)
class Pantry:
    """What the act has on Slack: Ann's workspace with two channels, and who is there."""

    ann: Person
    workspace: Workspace
    gold: Channel
    silver: Channel
    ben: Person
    sol: Person


def pantry(stage: Stage) -> Pantry:
    """Return what there is on Slack, made the first time."""
    if stage.pantry is None:
        people = stage.town.slack.people
        ann, ben, sol = (people.person(name) for name in ("ann", "ben", "sol"))
        workspace = people.workspace(ann, "Ann's Pantry")
        gold, silver = (ann.create_channel(workspace, name, private=True) for name in ("gold", "silver"))
        stage.pantry = Pantry(ann, workspace, gold, silver, ben, sol)
    return stage.pantry


async def workspace_is_attached(stage: Stage) -> str:
    """Ann brings her Slack workspace into the same community."""
    there = pantry(stage)
    reply = await stage.ann.command(stage.server, "doorman setup", attach=True)
    landing = await there.ann.install(reply.button("Add Slack")["url"], there.workspace)
    check("Ann's Kitchen" in landing.words, f"the workspace is in Ann's Kitchen now: {landing.words}")
    return "one link from /doorman setup, and Ann's Pantry belongs to Ann's Kitchen"


async def plan_opens_a_channel(stage: Stage) -> str:
    """Gold opens a private channel on Slack too, and Ben, who has paid, links his Slack account."""
    there = pantry(stage)
    there.ann.add_app(there.gold)
    said = await there.ann.command(there.workspace, "/doorman plan add Gold #gold")
    check("Gold" in said.words, f"Gold opens #gold: {said.words}")
    there.ben.accept(there.ann.invite_link(there.workspace))
    ben = await stage.fan("ben")
    offered = await ben.person.command(stage.server, "link")
    shown = await ben.browser.open(offered.button("Also join on Slack")["url"])
    consent = await ben.browser.press("Continue with Slack", follow=False)
    shown = await ben.browser.open(await there.ben.authorize(consent, there.workspace))
    check("linked" in shown, f"the page says that both are linked: {shown}")
    await reads(stage, there.ben, there.gold, "Ben reads #gold on Slack")
    check(len(stage.paid(ben)) >= 1 and stage.holds(ben), "Ben still holds Gold on Discord, for the one price")
    return "Ben paid on Discord once; he holds Gold there and reads #gold on Slack"


async def stranger_pays_for_slack(stage: Stage) -> str:
    """Sol, who is not on Discord at all, pays through a link and joins on Slack."""
    there = pantry(stage)
    there.ann.add_app(there.silver)
    made = await there.ann.command(there.workspace, '/doorman plan create Silver "4.99 USD" month #silver')
    check("Silver" in made.words, f"Silver is on sale: {made.words}")
    way_in = there.ann.invite_link(there.workspace)
    known = await there.ann.command(there.workspace, f"/doorman setup invite_link:{way_in}")
    check("is set up" in known.words, f"the bot knows the way into the workspace: {known.words}")
    link = link_in((await there.ann.command(there.workspace, "/doorman invite Silver")).words)
    browser = (await stage.fan("sol")).browser
    sol = Fan(there.sol, browser, stage.town.cashiers)
    await sol.open(link)
    await browser.press("Pay first")
    await sol.confirm()
    await sol.pay()
    await stage.settled()
    shown = await browser.open(sol.welcome)
    check(browser.link("Join") == way_in, f"the welcome page shows the way in: {shown}")
    there.sol.accept(way_in)
    consent = await browser.press("continue with Slack", follow=False)
    await browser.open(await there.sol.authorize(consent, there.workspace))
    await reads(stage, there.sol, there.silver, "Sol reads #silver")
    return "paid first, came in by Ann's own invite link, proved his account, reads #silver"


async def both_doors_close(stage: Stage) -> str:
    """Ben's paid period ends while Slack is down: Discord's door closes at once, Slack's when it answers again."""
    there, ben = pantry(stage), await stage.fan("ben")
    async with stage.town.slack.outage():
        await stage.later(days=32)
        await stage.until(lambda: not stage.holds(ben), "Ben's role goes though Slack is down")
        check(there.ben.reads(there.gold), "Slack could not be asked yet")
    await stage.later(hours=1)
    try:
        await stage.town.slack.model.when(lambda: not there.ben.reads(there.gold), WITHIN)
    except TimeoutError:
        raise Failed("Slack is back, and Ben still reads #gold") from None
    check(there.sol.reads(there.silver), "Sol, who goes on paying, keeps #silver")
    return "Discord was not held up; both doors are closed now, and Sol's stays open"


async def reads(stage: Stage, person: Person, channel: Channel, what: str) -> None:
    """Wait until somebody can read a channel."""
    try:
        await stage.town.slack.model.when(lambda: person.reads(channel), WITHIN)
    except TimeoutError:
        raise Failed(f"not within {WITHIN:.0f} s: {what}") from None


ACT = (workspace_is_attached, plan_opens_a_channel, stranger_pays_for_slack)
