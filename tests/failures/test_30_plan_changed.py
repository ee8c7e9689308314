"""A change to another plan: the new is given before the old is taken, and what both open is never touched."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_whoever_changes_their_plan_stands_outside_at_no_moment(scene: Scene) -> None:
    await scene.pays(0, "Silver")
    (price,) = scene.rows("SELECT stripe_price_id FROM prices JOIN plans ON plans.id = plan_id WHERE name = 'Gold'")[0]
    before = scene.town.program.adapter.changes[:]

    item = scene.subscription()["items"]["data"][0]["id"]
    scene.town.dashboard("POST", f"/v1/subscriptions/{scene.subscription().id}", f"items[0][id]={item}&items[0][price]={price}")
    await scene.town.settled()

    made = [(call.verb, call.subject) for call in scene.town.program.adapter.changes[len(before) :]]
    assert made == [("grant", scene.town.roles["Gold"]), ("revoke", scene.town.roles["Silver"])]
    assert scene.holds() == GOLD
