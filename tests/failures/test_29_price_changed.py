"""A plan's price is changed: whoever pays the old one is still a member of that plan."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_price_that_is_sold_no_more_still_opens_its_plan(scene: Scene) -> None:
    await scene.pays(0)
    ((product, old),) = scene.rows(
        "SELECT plans.stripe_product_id, prices.stripe_price_id FROM plans JOIN prices ON plans.id = plan_id WHERE name = 'Gold'"
    )
    answer = scene.town.dashboard("POST", "/v1/prices", f"product={product}&unit_amount=1999&currency=usd&recurring[interval]=month")
    new = answer.body.split('"id": "')[1].split('"')[0]
    scene.copied("prices", f"stripe_price_id = '{old}'", id="new", stripe_price_id=new, amount=1999)

    item = scene.subscription()["items"]["data"][0]["id"]
    scene.town.dashboard("POST", f"/v1/subscriptions/{scene.subscription().id}", f"items[0][id]={item}&items[0][price]={new}")
    await scene.town.settled()

    assert scene.rows("SELECT name, stripe_price_id FROM subscriptions JOIN plans ON plans.id = plan_id") == [("Gold", new)]
    assert scene.holds() == GOLD
