"""A gift: whoever pays is not whoever has it, it has an end of its own, and its refund ends it."""

from datetime import timedelta

from billing.gift import NewGift
from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_gift_is_its_receivers_until_its_own_end_or_until_it_is_given_back(scene: Scene) -> None:
    await given(scene, giver=1, receiver=0)
    assert (scene.holds(0), scene.holds(1)) == (GOLD, set())
    ((source, ends),) = scene.rows("SELECT source_kind, expires_at IS NOT NULL FROM entitlements")
    assert (source, ends) == ("gift", 1)

    scene.is_refunded(1)
    await scene.town.settled()
    assert scene.holds(0) == set()

    await given(scene, giver=1, receiver=0)
    assert scene.holds(0) == GOLD
    await scene.town.advance(timedelta(days=40))
    assert scene.holds(0) == set()


async def given(scene: Scene, *, giver: int, receiver: int) -> None:
    program = scene.town.program
    new = NewGift("Gold", 1, scene.identity(receiver))
    started = await program.ask(program.cases.desk.gifts.start(await scene.community(), scene.identity(giver), new, cause=scene.cause()))
    (session,) = [one for one in scene.asked() if one["url"] == started.url]
    scene.charge(session, giver)
    await scene.town.settled()
