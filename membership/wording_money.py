"""What is said of a payment that fails, is taken back by a bank, or may be."""

from datetime import datetime
from typing import Any

from core.commands import ReplyButton
from core.events import Notice, NoticeKind
from core.ids import PlatformUserId
from core.platform import LinkButton, Message
from core.text import Bold, Code, Mention, Moment, MomentStyle, Span

MONEY = frozenset(
    {
        NoticeKind.PAYMENT_FAILED,
        NoticeKind.DISPUTE,
        NoticeKind.FRAUD_WARNING,
        NoticeKind.SUSPENDED,
        NoticeKind.RESTORED,
        NoticeKind.PAYS_TWICE,
        NoticeKind.DOUBLE,
    }
)
"""What is worded here."""
DASHBOARD = "https://dashboard.stripe.com/disputes/"


def to_holder(notice: Notice, community: str) -> Message:
    """Word it for whoever has what the payment was for."""
    if notice.kind is NoticeKind.PAYMENT_FAILED:
        return _failed(notice, community)
    if notice.kind is NoticeKind.PAYS_TWICE:
        return _pays_twice(notice, community)
    facts, plan = notice.facts, Bold(str(notice.facts["plan"]))
    payer = "whoever gave it to you" if facts["gift"] else "you"
    if notice.kind is NoticeKind.RESTORED:
        return Message(f"{community}: you are back", ("The payment in question stands, so your ", plan, " is on again."))
    until = (
        " Until that is settled, it is on hold. If nobody meant to, tell the bank so; once the payment stands, you are back in by yourself."
    )
    body = ("A bank was asked to take back what ", payer, " paid for your ", plan, f", {facts['amount']}.", until)
    return Message(f"{community}: your membership is on hold", body)


def to_owner(notice: Notice, about: PlatformUserId | None) -> Message:
    """Word it for the creator; a renewal that failed only where the member cannot be told."""
    if notice.kind is NoticeKind.PAYMENT_FAILED:
        return _unreached(notice, about)
    facts = notice.facts
    who: Span = Bold(str(facts["who"])) if about is None else Mention(about)
    if notice.kind is NoticeKind.DOUBLE:
        return _double(facts, who)
    what: tuple[Span, ...] = (" for ", Bold(str(facts["plan"]))) if facts["plan"] else (" as a tip",)
    paid = (who, " paid ", Bold(str(facts["amount"])), *what)
    return _warned(facts, paid) if notice.kind is NoticeKind.FRAUD_WARNING else _disputed(facts, paid)


def _disputed(facts: Any, paid: tuple[Span, ...]) -> Message:  # noqa: ANN401 - a notice's facts are plain JSON
    link = (LinkButton("Open it at Stripe", f"{DASHBOARD}{facts['dispute']}"),)
    why = f" The reason it gives: {str(facts['reason']).replace('_', ' ')}." if facts["reason"] else ""
    held = "" if facts["source"] == "tip" else " What it opened is on hold meanwhile, and comes back if you win."
    ended = "" if facts["source"] == "tip" else " What it opened has ended, and nothing more is charged."
    match facts["phase"]:
        case "opened":
            body = (*paid, f", and their bank has taken it back.{why}{held}", *_answer(facts), "; unanswered, it is lost.")
            return Message("A payment is disputed", body, link)
        case "inquiry":
            body = (*paid, f", and their bank asks what it was for.{why} They keep what they have.", *_answer(facts), ".")
            return Message("A bank asks about a payment", body, link)
        case "won":
            return Message("You won a dispute", (*paid, ". The payment stands, the money is yours again, and what it opened is on."), link)
        case "lost":
            return Message("A dispute is lost", (*paid, f", and their bank keeps it.{ended}"), link)
        case _:
            return Message("A bank asks no more", (*paid, ". The payment stands."), link)


def _failed(notice: Notice, community: str) -> Message:
    facts, plan = notice.facts, Bold(str(notice.facts["plan"]))
    amount, pay_url = facts.get("amount"), facts.get("pay_url")
    title, told = "your payment did not go through", ("The card for your ", plan, " was declined")
    if facts.get("again"):
        title, told = "your payment is still open", ("Your ", plan, " is not paid yet")
    if facts.get("last"):
        title = "last reminder about your payment"
    open_: tuple[Span, ...] = (": ", Bold(str(amount)), " is open. ") if amount else (". ",)
    stays = ("You stay in until ", day(facts["until"]), ". ")
    pay: tuple[Span, ...] = ("The button pays it; ", Code("/manage"), " changes the card for good.")
    body = (*told, *open_, *stays, *(pay if pay_url else ("Put your card right with ", Code("/manage"), ".")))
    buttons = (LinkButton(f"Pay {amount}" if amount else "Pay", str(pay_url)),) if pay_url else ()
    return Message(f"{community}: {title}", body, buttons)


def _unreached(notice: Notice, about: PlatformUserId | None) -> Message:
    who: Span = "A member" if about is None else Mention(about)
    why = ("'s card was declined for ", Bold(str(notice.facts["plan"])), ", and I can't write to them: their direct messages are closed. ")
    what = ("They stay in until ", day(notice.facts["until"]), ". If you can, tell them to run ", Code("/manage"), ".")
    return Message("Somebody's payment failed, and I can't tell them", (who, *why, *what))


def _pays_twice(notice: Notice, community: str) -> Message:
    facts = notice.facts
    owner = f", and its owner can give you the {facts['amount']} of the second one back: I have told them. "
    body = ("Two subscriptions of yours pay for ", Bold(str(facts["plan"])), ". One is enough", owner, Code("/manage"), " ends one too.")
    return Message(f"{community}: you pay twice", body)


def _double(facts: Any, who: Span) -> Message:  # noqa: ANN401
    button = ReplyButton(f"Refund {facts['amount']}", action=f"refund order:{facts['order']}")
    what = " is enough. The button ends the second and gives its last payment back, and so does "
    body = (who, " has two subscriptions to ", Bold(str(facts["plan"])), ", and one", what, Code("/doorman tasks"), ". The first goes on.")
    return Message("Somebody pays twice", body, (button,))


def _answer(facts: Any) -> tuple[Span, ...]:  # noqa: ANN401 - a notice's facts are plain JSON
    if not facts["by"]:
        return (" There is nothing to send any more",)
    return (" Send what shows that they had it by ", day(facts["by"]))


def _warned(facts: Any, paid: tuple[Span, ...]) -> Message:  # noqa: ANN401
    after = ", and the card's issuer calls it fraud. Given back now, it costs no dispute and no fee for one. Nothing was changed so far; "
    if not facts["order"]:
        return Message("A payment may be fraud", (*paid, after, "you can give it back at Stripe."))
    button = ReplyButton(f"Refund {facts['amount']}", action=f"refund order:{facts['order']}")
    return Message("A payment may be fraud", (*paid, after, "the button gives it back and ends what it opened, and so does ",
                   Code("/doorman tasks"), "."), (button,))  # fmt: skip


def day(text: Any) -> Moment:  # noqa: ANN401
    """Read a day from a notice's facts."""
    return Moment(datetime.fromisoformat(str(text)), MomentStyle.DATE)
