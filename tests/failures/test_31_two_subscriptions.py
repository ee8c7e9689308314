"""Two subscriptions that open the same: the end of one takes nothing the other still pays for."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_the_end_of_one_of_two_keeps_what_both_open(scene: Scene) -> None:
    await scene.pays(0, "Gold")
    await scene.pays(0, "Silver")
    assert scene.holds() == {"Member", "Gold", "Silver"}

    scene.ends(0)
    await scene.town.settled()

    assert scene.holds() == {"Member", "Silver"}


async def _doubles(scene: Scene) -> str:
    """Have somebody pay for Gold by two subscriptions, and return the order of the second."""
    await scene.pays(0, "Gold")
    await scene.minutes(1)
    await scene.pays(0, "Silver")
    (price,) = scene.rows("SELECT stripe_price_id FROM prices JOIN plans ON plans.id = plan_id WHERE name = 'Gold'")[0]
    item = scene.subscription()["items"]["data"][0]["id"]
    scene.town.dashboard("POST", f"/v1/subscriptions/{scene.subscription().id}", f"items[0][id]={item}&items[0][price]={price}")
    await scene.town.settled()
    return str(scene.rows("SELECT id FROM orders WHERE stripe_subscription_id = ?", scene.subscription().id)[0][0])


@played
async def test_whoever_pays_twice_for_one_plan_is_told_with_the_creator_and_the_second_is_given_back(scene: Scene) -> None:
    order = await _doubles(scene)
    assert "\n".join(scene.heard(scene.user(0))).count("you pay twice") == 1
    assert "\n".join(scene.heard()).count("Somebody pays twice") == 1
    assert await scene.command("doorman tasks") == "1 thing only you can do"

    assert await scene.command("refund order", argument=order) == "@Fan 0 pays once now"

    first, second = scene.subscriptions(0)
    assert (first["status"], second["status"], scene.holds()) == ("active", "canceled", GOLD)
    assert [charge["refunded"] for charge in scene.charges(0)] == [False, True]
    assert await scene.command("doorman tasks") == "Nothing to do"
    assert await scene.command("refund order", argument=order) != "@Fan 0 pays once now"
    assert not any("has ended" in words for words in scene.heard(scene.user(0)))
