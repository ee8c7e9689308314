"""Where a community keeps what it refunds: the money goes back, and what was paid for lasts until its time is over."""

from datetime import timedelta

from sandbox.stripe import disputes
from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_refund_ends_nothing_before_its_time_and_is_booked(scene: Scene) -> None:
    await scene.command("doorman setup", keep_refunded=True)
    await scene.pays()
    scene.is_refunded(0)
    await scene.town.settled()
    await scene.town.advance(timedelta(hours=26))
    assert scene.holds() == GOLD
    assert scene.rows("SELECT amount FROM ledger WHERE cause LIKE 'refund:%'") == [(999,)]
    scene.ends(0)
    await scene.town.settled()
    assert scene.holds() == set()


@played
async def test_what_was_paid_once_lasts_too(scene: Scene) -> None:
    await scene.command("doorman setup", keep_refunded=True)
    await scene.pays(0, "Life")
    scene.is_refunded(0)
    await scene.town.settled()
    assert scene.holds() == {"Life"}


@played
async def test_said_otherwise_again_a_refund_ends_what_it_paid_for(scene: Scene) -> None:
    await scene.command("doorman setup", keep_refunded=True)
    await scene.command("doorman setup", grace_days=3)
    await scene.pays(0, "Life")
    await scene.command("doorman setup", keep_refunded=False)
    await scene.pays(1, "Life")
    scene.is_refunded(1)
    await scene.town.settled()
    assert (scene.holds(0), scene.holds(1)) == ({"Life"}, set())


@played
async def test_what_is_given_back_as_fraud_ends_all_the_same(scene: Scene) -> None:
    await scene.command("doorman setup", keep_refunded=True)
    await scene.pays(0, "Life")
    warning = disputes.warn(scene.town.model.default, scene.charges(0)[-1])
    await scene.town.settled()
    ((order,),) = scene.rows("SELECT order_id FROM disputes WHERE stripe_dispute_id = ?", warning.id)
    await scene.command("refund order", argument=order)
    assert scene.holds() == set()
