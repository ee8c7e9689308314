"""What the notices say: short, kind, exact, and what to do next."""

from typing import Any

from core.events import Notice, NoticeKind
from core.ids import PlatformUserId
from core.platform import LinkButton, Message
from core.text import Bold, Code, Mention, Span
from membership.wording_money import MONEY, day, to_holder, to_owner
from membership.wording_sold import SOLD, application, to_buyer
from membership.wording_trouble import TROUBLES, trouble


def to_member(notice: Notice, community: str, public_url: str = "") -> Message:
    """Word a notice for the member it is about; ``public_url`` is where our pages are, for one that leads to a page."""
    if notice.kind in MONEY:
        return to_holder(notice, community)
    return to_buyer(notice, community) if notice.kind in SOLD else _of_membership(notice, community, public_url)


def _of_membership(notice: Notice, community: str, public_url: str) -> Message:
    facts = notice.facts
    plan = Bold(str(facts.get("plan", "")))
    match notice.kind:
        case NoticeKind.WELCOME:
            body = ("Your membership ", plan, " is on. ", *_lasts(facts), Code("/status"), " shows it any time.")
            return Message(f"You're in: welcome to {community}", body)
        case NoticeKind.ENDING:
            return _ending(facts, plan, community)
        case NoticeKind.WAY_IN:
            return _way_in(facts, plan, community, public_url)
        case NoticeKind.RENEWED:
            return Message(f"{community}: payment received", ("Thank you. Your ", plan, " is paid until ", day(facts["until"]), "."))
    return Message(f"{community}: your membership has ended", ("Your ", plan, *_why_ended(facts)))


def _ending(facts: Any, plan: Bold, community: str) -> Message:  # noqa: ANN401 - as above
    until, way_back = (" is cancelled and stays on until ", day(facts["at"])), (Code("/manage"), " turns it back on.")
    return Message(f"{community}: your membership ends soon", ("Your ", plan, *until, ". Changed your mind? ", *way_back))


def to_creator(notice: Notice, community: str, about: PlatformUserId | None, *, here: bool = False) -> Message:
    """Word a notice for the creator; ``about`` is the member it is about, ``here``: it is about the space it is told in."""
    facts = notice.facts
    match notice.kind:
        case NoticeKind.TIP:
            return _tip(facts, about)
        case NoticeKind.APPLICATION:
            return application(notice, about)
        case kind if kind in MONEY:
            return to_owner(notice, about)
        case kind if kind in TROUBLES:
            return trouble(notice, community)
        case NoticeKind.SPACE_LOST | NoticeKind.INVITE_LINK_WORN | NoticeKind.OWNER_TASK | NoticeKind.UNINVITED:
            return _in_and_out(notice, about, here=here)
        case _:
            return _hello(Bold(str(facts["space"])))


def _in_and_out(notice: Notice, about: PlatformUserId | None, *, here: bool) -> Message:
    if notice.kind is NoticeKind.UNINVITED:
        return _uninvited(notice.facts, here=here)
    if notice.kind is NoticeKind.OWNER_TASK:
        return _owner_task(notice.facts, about)
    what = Bold(str(notice.facts["space"]))
    if notice.kind is NoticeKind.SPACE_LOST:
        after = ". Subscriptions go on at Stripe, but nobody can be let in. Add me again, or cancel the subscriptions there."
        return Message("I can no longer let people in", ("I was removed from ", what, after))
    why = f" stops working soon: {notice.facts['why']}. Make a new one and give it to me with "
    return Message("Your link for new members runs out", ("The link into ", what, why, Code("/doorman setup invite_link"), "."))


def _hello(space: Bold) -> Message:
    steps: tuple[Span, ...] = (
        *("Thank you for adding me to ", space, ". Three steps to your first member: put my role above the roles you want to sell; run "),
        *(Code("/doorman plan create"), "; post the link that ", Code("/doorman invite"), " gives you."),
    )
    return Message("Hello! Let's open your door", steps)


def _way_in(facts: Any, plan: Bold, community: str, public_url: str) -> Message:  # noqa: ANN401 - a notice's facts are plain JSON
    body = ("You have paid for ", plan, " and are not inside yet. Your order's page shows your way in, and what is missing.")
    page = LinkButton("Go on", f"{public_url.rstrip('/')}/welcome/{facts['order']}")
    return Message(f"{community}: one step is left", body, (page,) if public_url else ())


def _lasts(facts: Any) -> tuple[Span, ...]:  # noqa: ANN401
    if facts.get("renews"):
        return ("It renews by itself until you cancel. ",)
    return ("It is yours until ", day(facts["until"]), ". ") if facts.get("until") else ("It is yours for life. ",)


def _why_ended(facts: Any) -> tuple[Span, ...]:  # noqa: ANN401
    match facts.get("why"):
        case "payment" if facts.get("renews"):
            return (
                " has ended because its payment did not arrive. Put your card right with ",
                Code("/manage"),
                ": once it pays, you are back in.",
            )
        case "payment":
            return (" has ended because its payment did not arrive. ", Code("/join"), " brings you back in.")
        case "dispute":
            return (" has ended: the bank took its payment back. ", Code("/join"), " brings you back in.")
        case "refund" if facts.get("renews"):
            return (
                " has ended with its refund. The subscription still renews by itself, and opens it again; ",
                Code("/manage"),
                " ends it.",
            )
        case "refund":
            return (" has ended with its refund. ", Code("/join"), " brings you back in.")
        case _:
            return (" has ended. Thank you for having been here! ", Code("/join"), " brings you back in.")


def _tip(facts: Any, about: PlatformUserId | None) -> Message:  # noqa: ANN401
    giver: Span = "Somebody" if facts.get("anonymous") or about is None else Mention(about)
    body: tuple[Span, ...] = (giver, " tipped ", Bold(str(facts["amount"])), ". Thank you!")
    if facts.get("message"):
        body = (*body, "\n“", str(facts["message"]), "”")
    return Message("A tip", body)


def _owner_task(facts: Any, about: PlatformUserId | None) -> Message:  # noqa: ANN401
    who: Span = Bold(str(facts["who"])) if about is None else Mention(about)
    what = (" out of ", Bold(str(facts["resource"])), " in ", Bold(str(facts["place"])), ". ")
    why = ("Their membership has ended, and I may not do it: ", str(facts["why"]), " ")
    if facts.get("late"):
        return Message("Still to do by you", ("Please take ", who, *what, *why, "Until then they read on without paying."))
    return Message("Something only you can do", ("Please take ", who, *what, *why, "By ", day(facts["by"]), ", please."))


def _uninvited(facts: Any, *, here: bool) -> Message:  # noqa: ANN401
    names: list[Span] = [Mention(PlatformUserId(one)) if here else Code(str(one)) for one in facts["people"]]
    listed = tuple(span for name in names for span in (name, ", "))[:-1]
    more = f" and {facts['more']} more" if facts["more"] else ""
    after = " without having paid: somebody there added them. I take out only whom I let in, so it is for you to say whether they stay."
    where = (" in ", Bold(str(facts["place"])), after)
    return Message("Somebody is in who has not paid", (*listed, more, " can read ", Bold(str(facts["resource"])), *where))
