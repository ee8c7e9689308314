"""An event nobody can work off: given up with its reason, while the others go on."""

from core.dispatch import stripe_lane
from storage.inbox import InboxKind, InboxRow
from storage.stripe_accounts import ENVIRONMENT
from tests.failures.scene import GOLD, Scene, played


@played
async def test_an_event_about_nothing_is_given_up_with_its_reason_and_holds_up_nobody(scene: Scene) -> None:
    program, now = scene.town.program, scene.town.clock.now()
    poison = InboxRow(
        id="poison", kind=InboxKind.STRIPE, source="stripe:env", event_id="evt_poison", type="customer.subscription.updated",
        object_id="sub_nobody", lane=stripe_lane(ENVIRONMENT), payload=b"{}", received_at=now, due_at=now,
    )  # fmt: skip
    assert program.adapter.listener is not None
    await program.ask(program.adapter.listener._group.record(poison))  # type: ignore[attr-defined]

    await scene.pays()

    ((status, why),) = scene.rows("SELECT status, error FROM inbox WHERE id = 'poison'")
    assert status == "dead"
    assert "sub_nobody" in why
    assert scene.holds() == GOLD
