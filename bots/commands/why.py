from datetime import datetime, timedelta

from bots.commands.call import Call, Command, Desk
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind
from core.errors import Refusal
from core.text import Code, Moment, MomentStyle, Text
from membership.why import Episode

SHOWN, LONGEST = 12, 420
"""Causes that are worth reading in a chat, the newest of them; and letters of one, so that all of them fit in one message."""
SPEC = CommandSpec(
    ("doorman", "why"),
    "See why a member has what they have: each payment, what it opened, what the platform answered",
    (Option("who", "The member", OptionKind.USER, required=True),),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Tell a member's story, the latest part of it."""
    who = call.person("who")
    if who is None:
        raise Refusal("missing_option", "Say whom you mean.")
    story = await desk.whys.of_account(call.home.community_id, who)
    shown = story.episodes[-SHOWN:]
    if not shown:
        return CommandReply(f"Nothing happened to @{who.name} yet", ("They opened a link of yours and bought nothing so far.",))
    earlier = len(story.episodes) - len(shown)
    more: Text = (f" {earlier} earlier ones are left out; whoever runs me sees them with ", Code(f"doorman why {story.member}"), ".")
    doubts = f" My record and my rows differ about {', '.join(story.doubts)}: please tell whoever runs me." if story.doubts else ""
    body: Text = (f"What set something off, the latest last, and what followed.{doubts}", *(more if earlier else ()))
    return CommandReply(f"Why @{who.name} has what they have", body, fields=tuple((one.title, _row(one)) for one in shown))


def _row(episode: Episode) -> Text:
    lines = "".join(f"\n{step.text}{_after(step.at, episode.at)}" for step in episode.steps)
    return (Moment(episode.at, MomentStyle.DATE_TIME), lines if len(lines) <= LONGEST else f"{lines[:LONGEST]}…")


def _after(at: datetime, began: datetime) -> str:
    """Say how long after its cause something happened, where that was a while."""
    took = (at - began) / timedelta(seconds=1)
    return f" ({took:,.0f} s later)" if took >= 1 else ""


COMMAND = Command(SPEC, run)
