"""An event of the other mode, test or live: set aside, and nothing follows."""

from tests.failures.scene import Scene, played


@played
async def test_a_live_event_for_a_test_account_is_set_aside(scene: Scene) -> None:
    await scene.town.look()  # learns which account it is, and that it is for testing
    with scene.lost():
        await scene.pays()
    event = scene.told("checkout.session.completed")
    event["livemode"] = True

    await scene.delivers(event)

    assert scene.rows("SELECT status FROM inbox WHERE event_id = ?", event.id) == [("dead",)]
    assert scene.holds() == set()
