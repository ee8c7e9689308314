"""What becomes of a payment whose bank takes it back, asks about it, or warns: of a subscription, a pass, a gift and a tip."""

from datetime import timedelta

import pytest

from billing.routing import Subject, subject_of
from core.events import Notice, NoticeKind
from core.ids import OrderId
from core.people import Identity
from core.platform import Message
from core.text import plain
from membership.wording import to_creator, to_member
from sandbox.faults import FaultKind
from sandbox.memory.world import NAME
from sandbox.stripe import disputes
from sandbox.stripe.resource import Resource
from storage.stripe_accounts import ENVIRONMENT
from tests.failures.scene import GOLD, Scene, played


def opened(scene: Scene, who: int = 0, *, inquiry: bool = False) -> Resource:
    return disputes.open_one(scene.town.model.default, scene.charges(who)[-1], inquiry=inquiry)


def closed(scene: Scene, dispute: Resource, *, won: bool) -> None:
    disputes.close(scene.town.model.default, dispute, won=won)


def test_a_dispute_is_known_by_its_id() -> None:
    assert [subject_of(name) for name in ("du_1", "dp_1", "issfr_1")] == [Subject.DISPUTE, Subject.DISPUTE, Subject.WARNING]


@played
async def test_an_inquiry_takes_nothing_and_is_told(scene: Scene) -> None:
    await scene.pays()
    dispute = opened(scene, inquiry=True)
    await scene.town.settled()
    assert scene.holds() == GOLD
    closed(scene, dispute, won=True)
    await scene.town.settled()
    told = "\n".join(scene.heard())
    assert ("A bank asks about a payment" in told, "A bank asks no more" in told, "disputed" in told) == (True, True, False)
    assert scene.rows("SELECT count(*) FROM ledger WHERE subject LIKE 'dispute:%'") == [(0,)]


async def says_of_itself(scene: Scene) -> tuple[str, str, str]:
    """Return what /status answers a fan, how the page of their order stands, and what a checkout would say of Gold."""
    program, community = scene.town.program, await scene.community()
    request = await program.ask(program.adapter.ask(scene.town.space, scene.user(0), "status"))
    await scene.town.settled()
    (shown,) = [plain(text) for title, text in program.adapter.answers[request.id].fields if title == "Gold"]
    order = OrderId(scene.rows("SELECT id FROM orders")[0][0])
    welcome = await program.ask(program.cases.desk.statuses.of_order(order))
    who = Identity(NAME, scene.town.world.realm, scene.user(0), "Fan 0")
    outlook = await program.ask(program.cases.desk.checkouts.outlook(community, who))
    return shown, welcome.state, dict(outlook.waiting).get("Gold", "")


@played
async def test_what_is_on_hold_is_shown_so_and_not_sold_again_meanwhile(scene: Scene) -> None:
    await scene.pays()
    dispute = opened(scene)
    await scene.town.settled()
    shown, state, sale = await says_of_itself(scene)
    assert (shown.startswith("On hold: a bank was asked"), state) == (True, "on_hold")
    assert sale == "Your “Gold” is on hold: a bank was asked to take back a payment for it. Nothing was charged now."
    closed(scene, dispute, won=True)
    await scene.town.settled()
    shown, state, sale = await says_of_itself(scene)
    assert (shown.startswith("Active."), state, sale) == (True, "paid", "")


@played
async def test_a_pass_is_suspended_and_ends_or_goes_on_for_as_long_as_it_was_bought(scene: Scene) -> None:
    await scene.pays(0, "Life")
    dispute = opened(scene)
    await scene.town.settled()
    assert scene.holds() == set()
    closed(scene, dispute, won=True)
    await scene.town.settled()
    assert scene.holds() == {"Life"}

    await scene.pays(1, "Life")
    lost = opened(scene, 1)
    closed(scene, lost, won=False)
    await scene.town.settled()
    assert scene.holds(1) == set()
    assert scene.rows("SELECT state FROM entitlements WHERE member_id = (SELECT member_id FROM disputes WHERE status = 'lost')") == [
        ("ended",)
    ]


@played
async def test_what_ran_out_while_it_was_disputed_does_not_come_back(scene: Scene) -> None:
    await scene.pays(0, "Life")
    dispute = opened(scene)
    await scene.town.settled()
    scene.town.disk.change("UPDATE entitlements SET expires_at = ?", f"{scene.town.clock.now():%Y-%m-%d %H:%M:%S.%f}")
    closed(scene, dispute, won=True)
    await scene.town.settled()
    assert scene.holds() == set()
    assert scene.rows("SELECT state FROM entitlements") == [("ended",)]


@played
async def test_what_else_becomes_of_a_subscription_does_not_open_what_is_suspended(scene: Scene) -> None:
    await scene.pays()
    opened(scene)
    await scene.town.settled()
    scene.town.dashboard("POST", f"/v1/subscriptions/{scene.subscription().id}", "cancel_at_period_end=true")
    await scene.town.settled()
    assert scene.rows("SELECT cancel_at IS NOT NULL FROM subscriptions") == [(1,)]
    assert scene.holds() == set()
    assert scene.rows("SELECT state FROM entitlements") == [("suspended",)]


@played
async def test_while_one_of_two_is_open_what_both_paid_for_stays_on_hold(scene: Scene) -> None:
    await scene.pays()
    first = scene.charges(0)[-1]
    await scene.town.advance(timedelta(days=32))
    second = scene.charges(0)[-1]
    assert first.id != second.id
    both = [disputes.open_one(scene.town.model.default, charge) for charge in (first, second)]
    await scene.town.settled()
    assert scene.holds() == set()

    closed(scene, both[0], won=True)
    await scene.town.settled()
    assert scene.holds() == set()

    closed(scene, both[1], won=True)
    await scene.town.settled()
    assert scene.holds() == GOLD


@played
async def test_a_lost_dispute_whose_cancel_got_no_answer_is_ended_by_the_next_try(scene: Scene) -> None:
    await scene.pays()
    dispute = opened(scene)
    await scene.town.settled()
    scene.goes_wrong("stripe", FaultKind.TIMEOUT_AFTER, "DELETE /v1/subscriptions/")
    closed(scene, dispute, won=False)
    await scene.town.settled()
    await scene.town.settled()
    assert scene.subscription()["status"] == "canceled"
    assert scene.rows("SELECT state FROM entitlements") == [("ended",)]
    assert scene.holds() == set()


@played
async def test_a_warning_takes_nothing_and_a_press_gives_the_money_back(scene: Scene) -> None:
    await scene.pays()
    warning = disputes.warn(scene.town.model.default, scene.charges(0)[-1])
    await scene.town.settled()
    program = scene.town.program
    await program.ask(program.cases.disputes.warned(ENVIRONMENT, warning.id, cause=scene.cause()))
    await scene.town.settled()
    assert scene.holds() == GOLD
    assert "\n".join(scene.heard()).count("A payment may be fraud") == 1
    assert await scene.command("doorman tasks") == "1 thing only you can do"
    ((order,),) = scene.rows("SELECT order_id FROM disputes WHERE stripe_dispute_id = ?", warning.id)

    assert await scene.command("refund order", argument=order) == "@Fan 0 is not charged any more"

    assert scene.holds() == set()
    assert scene.charges(0)[-1]["refunded"]
    assert scene.subscription()["status"] == "canceled"
    assert await scene.command("doorman tasks") == "Nothing to do"


@played
async def test_a_dispute_of_something_that_is_not_ours_is_left_alone(scene: Scene) -> None:
    await scene.pays()
    charge = scene.charges(0)[-1]
    stranger = Resource({**charge, "id": "ch_stranger", "payment_intent": None, "metadata": {}, "disputed": False}, dict(charge.hidden))
    scene.town.model.default.table("charge").add(stranger, customer=None, payment_intent=None)
    disputes.open_one(scene.town.model.default, stranger)
    await scene.town.settled()
    assert scene.holds() == GOLD
    assert scene.rows("SELECT count(*) FROM disputes") == [(0,)]


FACTS = {
    "who": "ben", "plan": "Gold", "amount": "9.99 USD", "reason": "product_not_received", "by": "2026-12-03T00:00:00+00:00",
    "source": "subscription", "order": "o1", "dispute": "du_1", "gift": False,
}  # fmt: skip


def said(message: Message) -> str:
    return plain(message.body)


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ("opened", "their bank has taken it back. The reason it gives: product not received."),
        ("inquiry", "They keep what they have."),
        ("won", "the money is yours again"),
        ("lost", "nothing more is charged"),
        ("closed", "The payment stands."),
    ],
)
def test_the_creator_is_told_what_it_means_and_what_to_do(phase: str, words: str) -> None:
    message = to_creator(Notice(NoticeKind.DISPUTE, {**FACTS, "phase": phase}), "Town", None)
    assert words in said(message)
    assert message.buttons[0].label == "Open it at Stripe"


def test_nothing_is_said_of_access_where_a_tip_is_disputed() -> None:
    message = to_creator(Notice(NoticeKind.DISPUTE, {**FACTS, "phase": "opened", "plan": "", "source": "tip"}), "Town", None)
    assert "as a tip" in said(message)
    assert "on hold" not in said(message)


def test_whoever_has_it_is_told_that_it_is_on_hold_and_that_it_is_back() -> None:
    assert "what you paid for your Gold, 9.99 USD" in said(to_member(Notice(NoticeKind.SUSPENDED, FACTS), "Town"))
    assert "whoever gave it to you" in said(to_member(Notice(NoticeKind.SUSPENDED, {**FACTS, "gift": True}), "Town"))
    assert "is on again" in said(to_member(Notice(NoticeKind.RESTORED, FACTS), "Town"))
