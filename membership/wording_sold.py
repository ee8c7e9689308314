"""What the notices of selling say: seats, gifts, prices, and who may buy."""

from datetime import datetime
from typing import Any

from core.commands import ReplyButton
from core.events import Notice, NoticeKind
from core.ids import PlatformUserId
from core.platform import Message
from core.text import Bold, Code, Mention, Moment, MomentStyle, Span

SOLD = frozenset(
    {
        NoticeKind.ACCEPTED,
        NoticeKind.DECLINED,
        NoticeKind.SEAT_FREE,
        NoticeKind.GIFT,
        NoticeKind.GIFT_TAKEN,
        NoticeKind.GIFT_BACK,
        NoticeKind.COMP,
        NoticeKind.PRICE_CHANGE,
        NoticeKind.MOVED,
    }
)


def to_buyer(notice: Notice, community: str) -> Message:
    """Word a notice for whoever buys, waits or is given something."""
    facts = notice.facts
    plan = Bold(str(facts.get("plan", "")))
    match notice.kind:
        case NoticeKind.ACCEPTED | NoticeKind.DECLINED:
            return _decided(facts, plan, community, accepted=notice.kind is NoticeKind.ACCEPTED)
        case NoticeKind.SEAT_FREE:
            body: tuple[Span, ...] = ("A seat of ", plan, " is kept for you until ", _moment(facts["until"]), ". ", _join(facts),
                    " takes you to the payment; after that it is offered to the next in line.")  # fmt: skip
            return Message(f"{community}: it is your turn", body)
        case NoticeKind.GIFT_TAKEN | NoticeKind.GIFT_BACK:
            return _gift(notice.kind, facts, plan, community)
        case NoticeKind.PRICE_CHANGE:
            return _price_change(facts, plan, community)
        case NoticeKind.MOVED:
            body = (
                "Whoever runs it changes what you subscribe to: ",
                plan,
                f", {facts['price']}. ",
                Code("/status"),
                " shows how it stands.",
            )
            return Message(f"{community}: your plan changes", body)
        case _:
            return _given(notice.kind, facts, plan, community)


def _gift(kind: NoticeKind, facts: Any, plan: Bold, community: str) -> Message:  # noqa: ANN401 - a notice's facts are plain JSON
    if kind is NoticeKind.GIFT_TAKEN:
        return Message(f"{community}: your gift has arrived", (Bold(str(facts["who"])), " has ", plan, " from you. Thank you!"))
    after: tuple[Span, ...] = (" It has ended. ", _join(facts), " gets you one of your own.")
    if facts.get("next"):
        after = (" Your next payment is on ", _moment(facts["next"]), " again.")
    return Message(f"{community}: a gift was taken back", ("The gift of ", plan, " was refunded to whoever gave it.", *after))


def _decided(facts: Any, plan: Bold, community: str, *, accepted: bool) -> Message:  # noqa: ANN401 - a notice's facts are plain JSON
    if accepted:
        return Message(f"{community}: you are accepted", ("You may have ", plan, " now. ", _join(facts), " takes you to the payment."))
    return Message(f"{community}: not this time", ("Its owner has not accepted you for ", plan, ". Nothing was charged; ask them why."))


def application(notice: Notice, about: PlatformUserId | None) -> Message:
    """Word somebody's question for the creator, with a button for each answer."""
    facts = notice.facts
    who: Span = Bold(str(facts["who"])) if about is None else Mention(about)
    buttons = tuple(ReplyButton(label, action=f"application:{word} {facts['application']}") for label, word in _ANSWERS)
    after = ". They pay only once you accept. You can answer here, or with "
    return Message(
        "Somebody asks to be let in", (who, " asks for ", Bold(str(facts["plan"])), after, Code("/doorman applications"), "."), buttons
    )


_ANSWERS = (("Accept", "accept"), ("Decline", "decline"))


def _given(kind: NoticeKind, facts: Any, plan: Bold, community: str) -> Message:  # noqa: ANN401 - a notice's facts are plain JSON
    until: tuple[Span, ...] = (" It is yours until ", _moment(facts["until"]), ".") if facts.get("until") else (" It is yours for life.",)
    if facts.get("pays_next") and facts.get("until"):
        until = (" You pay for it already, so your next payment is on ", _moment(facts["until"]), " now.")
    if kind is NoticeKind.COMP:
        days = facts["days"]
        return Message(f"{community}: a present", (f"{days} {'day' if days == 1 else 'days'} of ", plan, " for you, for nothing.", *until))
    body = (Bold(str(facts["giver"])), " gives you ", plan, f" {facts['lasts']}.", *until, " It does not renew, and costs you nothing.")
    return Message(f"{community}: a gift for you", body)


def _price_change(facts: Any, plan: Bold, community: str) -> Message:  # noqa: ANN401
    body = ("Your ", plan, f" costs {facts['after']} {facts['interval']} instead of {facts['before']}, from your payment on ",
            _moment(facts["from"]), ". You need do nothing to go on. ", Code("/cancel"), " ends it before then.")  # fmt: skip
    return Message(f"{community}: your price changes", body)


def _join(facts: Any) -> Code:  # noqa: ANN401
    return Code(f"/join plan:{facts['plan']}")


def _moment(text: Any) -> Moment:  # noqa: ANN401
    return Moment(datetime.fromisoformat(str(text)), MomentStyle.DATE_TIME)
