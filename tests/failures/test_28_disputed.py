"""A bank takes a payment back: what it opened is on hold, comes back when that is won, ends when it is lost, in any order it is told."""

from sandbox.stripe import disputes
from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_disputed_payment_suspends_a_won_one_restores_and_a_lost_one_ends_it(scene: Scene) -> None:
    account = scene.town.model.default
    for who in (0, 1):
        await scene.pays(who)
    first, second = (disputes.open_one(account, scene.charges(who)[-1]) for who in (0, 1))
    await scene.town.settled()
    assert (scene.holds(0), scene.holds(1)) == (set(), set())
    opened = list(account.table("event").where("type", "charge.dispute.created"))

    disputes.close(account, first, won=True)
    disputes.close(account, second, won=False)
    await scene.town.settled()
    await scene.delivers(*opened)

    assert (scene.holds(0), scene.holds(1)) == (GOLD, set())
    assert (scene.subscription(0)["status"], scene.subscription(1)["status"]) == ("active", "canceled")
    told = "\n".join(scene.heard())
    assert (told.count("A payment is disputed"), told.count("You won a dispute"), told.count("A dispute is lost")) == (2, 1, 1)


@played
async def test_the_end_of_a_dispute_may_be_heard_of_first(scene: Scene) -> None:
    account = scene.town.model.default
    await scene.pays()
    with scene.lost():
        dispute = disputes.open_one(account, scene.charges(0)[-1])
        disputes.close(account, dispute, won=False)
        await scene.town.settled()

    await scene.delivers(scene.told("charge.dispute.closed"))
    await scene.delivers(scene.told("charge.dispute.created"), scene.told("charge.dispute.funds_withdrawn"))

    assert scene.holds() == set()
    assert scene.subscription()["status"] == "canceled"
    assert scene.rows("SELECT debit, credit, amount FROM ledger WHERE subject LIKE 'dispute:%' ORDER BY amount") == [
        ("disputes", "processor", 999), ("fees", "processor", disputes.DISPUTE_FEE),
    ]  # fmt: skip
