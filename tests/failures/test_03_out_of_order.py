"""Deleted before created: what an event says is never applied, the subscription is looked at afresh."""

from tests.failures.scene import Scene, played


@played
async def test_an_old_word_of_a_subscription_that_has_ended_revives_nothing(scene: Scene) -> None:
    with scene.lost():
        await scene.pays()
    created, completed = scene.told("customer.subscription.created"), scene.told("checkout.session.completed")
    await scene.delivers(completed)
    scene.ends(0)
    await scene.town.settled()

    await scene.delivers(created)

    assert scene.holds() == set()
    assert scene.rows("SELECT status FROM subscriptions") == [("canceled",)]
