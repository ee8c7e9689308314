"""An event about something we do not hold yet: what it is of is found by what we wrote on it."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_an_invoice_that_is_told_of_first_leads_to_the_order_it_is_for(scene: Scene) -> None:
    with scene.lost():
        await scene.pays()

    await scene.delivers(scene.told("invoice.paid"))

    assert scene.holds() == GOLD
    assert scene.rows("SELECT count(*) FROM subscriptions") == [(1,)]
