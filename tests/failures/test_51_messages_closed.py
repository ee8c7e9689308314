"""Somebody whose messages are closed: they get what they paid for, and what they were to be told is kept to be shown."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_closed_messages_fail_no_grant_and_the_words_are_kept(scene: Scene) -> None:
    scene.town.world.people[scene.user(0)].open = False

    await scene.pays()

    assert scene.holds() == GOLD
    notices = scene.rows("SELECT status, undelivered FROM outbox WHERE kind = 'notice' AND payload LIKE '%welcome%'")
    assert notices == [("done", 1)]
