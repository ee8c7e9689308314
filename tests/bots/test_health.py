"""Whether what is sold can be delivered: what is broken is named with its cause, not sold meanwhile, and sold again by itself."""

import pytest

from core.ids import CauseId
from core.platform import EventKind
from tests.bots.bench import Bench, text


async def looked(bench: Bench) -> str:
    return text(await bench.ask(bench.creator, "doorman doctor"))


async def test_where_everything_can_be_delivered_the_doctor_says_so(bench: Bench) -> None:
    await bench.plan()
    assert await looked(bench) == (
        "All is well | I looked at every place and everything you sell: it can all be delivered. | "
        "Cleo's place: Permissions and every plan's resources are in order."
    )


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        ("above", "“Gold member” stands above the bot. Put the bot above it."),
        ("dangerous", "can do too much to be sold"),
        ("demoted", "The bot may not manage this space. Give it that permission."),
        ("deleted", "That does not exist any more. Choose something else for the plan."),
    ],
)
async def test_within_one_event_each_cause_stops_the_sale_and_is_told_apart_once_and_mending_resumes_it(
    bench: Bench, cause: str, says: str
) -> None:
    await bench.plan()
    place = bench.world.places[bench.space.external_id]
    thing = place.things[bench.role.external_id]
    match cause:
        case "above":
            thing.reachable = False
        case "dangerous":
            thing.safe = False
        case "demoted":
            place.may_manage = False
        case _:
            del place.things[bench.role.external_id]
    for _ in range(2):
        await bench.adapter.happens(EventKind.RESOURCES_CHANGED, bench.space, bench.creator)
        await bench.dispatcher.settled()
    assert "Gold: It is not sold: " in await looked(bench)
    assert says in await looked(bench)
    told = [line for line in bench.world.people[bench.creator].inbox if line.startswith("Something needs your hand")]
    assert len(told) == 1, "one alert for one fault"
    assert says in told[0]
    assert "nothing on sale right now" in text(await bench.ask(bench.fan, "join")) or "can't be delivered" in text(
        await bench.ask(bench.fan, "join")
    )
    thing.reachable = thing.safe = place.may_manage = True
    place.things[bench.role.external_id] = thing
    await bench.adapter.happens(EventKind.RESOURCES_CHANGED, bench.space, bench.creator)
    await bench.dispatcher.settled()
    assert (await looked(bench)).startswith("All is well")
    assert "Go on to payment" in text(await bench.ask(bench.fan, "join"))


async def test_a_place_we_were_removed_from_is_named(bench: Bench) -> None:
    await bench.plan()
    await bench.cases.desk.communities.space_removed(bench.space, cause=CauseId("a test"))
    home = await bench.cases.desk.communities.of_space(bench.space)
    (finding,) = await bench.cases.desk.health.of_community(home.community_id)
    assert not finding.well
    assert finding.text == "I was removed from it, so nothing there is sold or given. Add me again."
