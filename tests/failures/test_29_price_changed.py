"""A plan's price is changed: whoever pays the old one is still a member of that plan."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_price_that_is_sold_no_more_still_opens_its_plan(scene: Scene) -> None:
    await scene.pays(0)
    ((product, old),) = scene.rows(
        "SELECT plans.stripe_product_id, prices.stripe_price_id FROM plans JOIN prices ON plans.id = plan_id WHERE name = 'Gold'"
    )
    answer = scene.town.dashboard(
        "POST", "/v1/prices", f"product={product}&unit_amount=1999&currency=usd&recurring[interval]=month"
    )
    new = answer.body.split('"id": "')[1].split('"')[0]
    scene.town.disk.change("UPDATE plans SET name = 'Silver' WHERE 0")
    scene.town.disk.change(
        "INSERT INTO prices (id, community_id, plan_id, stripe_account_id, stripe_price_id, amount, currency, active) "
        "SELECT 'new', community_id, plan_id, stripe_account_id, ?, 1999, currency, 1 FROM prices WHERE stripe_price_id = ?",
        new, old,
    )  # fmt: skip

    item = scene.subscription()["items"]["data"][0]["id"]
    scene.town.dashboard("POST", f"/v1/subscriptions/{scene.subscription().id}", f"items[0][id]={item}&items[0][price]={new}")
    await scene.town.settled()

    assert scene.rows("SELECT name, stripe_price_id FROM subscriptions JOIN plans ON plans.id = plan_id") == [("Gold", new)]
    assert scene.holds() == GOLD
