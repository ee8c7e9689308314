"""What a creator is told when money and access do not agree, or may not: what it is, what was done, what is theirs to do."""

from datetime import datetime
from typing import Any

from core.events import Notice, NoticeKind
from core.platform import Message
from core.text import Bold, Code, Moment, Span

TROUBLES = frozenset(
    {
        NoticeKind.RESOURCE_BROKEN,
        NoticeKind.SWEEP_STOPPED,
        NoticeKind.UNKNOWN_STATUS,
        NoticeKind.RECONCILED,
        NoticeKind.UNDELIVERED,
    }
)
"""What is worded here."""


def trouble(notice: Notice, community: str) -> Message:
    """Word a notice of trouble for the creator."""
    facts = notice.facts
    match notice.kind:
        case NoticeKind.RESOURCE_BROKEN:
            what, after = Bold(str(facts["resource"])), " Its plans are not sold until then; everyone who paid gets it as soon as it works."
            return Message("Something needs your hand", ("I can't give ", what, " to people who paid. ", str(facts["problem"]), after))
        case NoticeKind.SWEEP_STOPPED:
            command = Code(f"doorman sweep --confirm {facts['community']}")
            title = f"{community}: I stopped before ending memberships"
            return Message(title, (str(facts["reason"]), " Nothing was taken away. Look into it, then run ", command, "."))
        case NoticeKind.UNKNOWN_STATUS:
            status, which = Code(str(facts["status"])), Code(str(facts["subscription"]))
            body = ("Its status is ", status, ", which I don't know. The member keeps access. Please look at ", which, " in Stripe.")
            return Message("A subscription I don't understand", body)
        case NoticeKind.UNDELIVERED:
            return _undelivered(facts)
        case _:
            return _reconciled(facts, community)


def _undelivered(facts: Any) -> Message:  # noqa: ANN401 - a notice's facts are plain JSON
    since, who, amount = Moment(datetime.fromisoformat(str(facts["since"]))), Bold(str(facts["who"])), Bold(str(facts["amount"]))
    paid: tuple[Span, ...] = (who, " paid ", amount, " for ", Bold(str(facts["plan"])), " on ", since)
    offer = (f" and is not inside: {facts['why']}. I keep trying. ", Code("/doorman tasks"), " has a button that gives the money back.")
    return Message("Somebody paid and is outside", (*paid, *offer))


def _reconciled(facts: Any, community: str) -> Message:  # noqa: ANN401 - a notice's facts are plain JSON
    parts = [f"Done about it: {', '.join(facts['done'])}."] if facts["done"] else []
    for kind, title in (("outside", "Paying without access"), ("unpaid", "Access without paying")):
        if facts[kind]:
            who = "\n".join(facts[f"{kind}_names"])
            parts.append(f"{title}: {facts[kind]}, worth {facts[f'{kind}_worth']} a month.\n{who}")
    more: tuple[Span, ...] = ("\n", Code("/doorman tasks"), " lists what only you can do.") if facts["outside"] or facts["unpaid"] else ()
    return Message(f"{community}: I compared payments with access", ("\n".join(parts), *more))
