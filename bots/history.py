"""`doorman why`: a person's whole story, for whoever has the command line."""

from datetime import datetime

from bots.foundation import stand_on
from bots.settings import Configuration
from bots.use_cases import build_use_cases
from membership.why import Story


async def tell(configuration: Configuration, person: str) -> list[str]:
    """Return the lines of everybody's story whom ``person`` may mean. Refusal ``person_unknown``; SchemaError for another schema."""
    async with stand_on(configuration, touch=False) as base:
        return [line for story in await build_use_cases(base).desk.whys.of_person(person) for line in lines_of(story)]


def lines_of(story: Story) -> list[str]:
    """Return a story for a terminal, each line with its moment."""
    names = ", ".join(f"@{name}" for name in story.names) or "nobody any more"
    lines = [f"{names} in {story.community_name} (member {story.member})"]
    for episode in story.episodes:
        lines += ["", f"{_moment(episode.at)}  {episode.title}"]
        lines += [f"  {_moment(step.at)}  {step.text}" for step in episode.steps]
    lines += [] if story.episodes else ["", "Nothing happened to them yet."]
    lines += [f"The record and the rows say different things about {doubt}. Please report it." for doubt in story.doubts]
    return [*lines, ""]


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
