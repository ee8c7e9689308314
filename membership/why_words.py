"""What the record says, in sentences."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.causality import Chain, Change, Origin, Subject, origin_of
from core.ids import PlatformName
from storage.causes import CauseRow
from storage.history import Names
from storage.inbox import InboxKind

Labels = Mapping[PlatformName, str]
_ORIGINS = {
    Origin.START: "The program was started",
    Origin.SWEEP: "The clock: what was due was looked at",
    Origin.CATCH_UP: "Compared with the payment processor",
    Origin.DRIFT: "Compared with the platform",
    Origin.LOOK: "Looked at who is inside",
    Origin.RECONCILE: "Compared with the payment processor and the platforms",
    Origin.PAGE: "Somebody did it on one of my pages",
    Origin.OPERATOR: "The operator's command line",
}
_EVENTS = {
    "space_added": "I was added", "space_removed": "I was removed", "member_joined": "somebody joined", "member_left": "somebody left",
    "resources_changed": "roles, channels or my rights changed",
}  # fmt: skip
_ORDERS = {
    "order.paid": "was paid", "order.pending": "is done, its money on the way", "order.failed": "was not paid", "order.expired": "ran out",
}  # fmt: skip
_ACCOUNTS = {
    "account.linked": "was linked", "account.link_offered": "asked for a code to link another",
    "account.change_begun": "is to take the place of the one before", "account.changed": "took the place of the one before",
    "account.change_allowed": "may change once more",
}  # fmt: skip
_FACTS = {"status": "status", "period_end": "paid until", "cancel_at": "cancelled for", "past_due_since": "not paid since"}


def origin(chain: Chain, came: CauseRow | None, labels: Labels) -> str:
    """Return what set a chain off, in a sentence without its full stop."""
    own = origin_of(chain.cause)
    if own is not None:
        return _ORIGINS[own]
    if came is None:
        return "Something that is kept no longer"
    match came.kind:
        case InboxKind.COMMAND:
            return f"/{came.type}, asked on {_label(came.source, labels)} by {came.object_id}"
        case InboxKind.EVENT:
            return f"{_label(came.source, labels)} said: {_EVENTS.get(came.type, came.type)}"
        case InboxKind.NEWS:
            return f"Found at the payment processor, not having been delivered: {came.type} ({came.event_id})"
        case _:
            return f"The payment processor said: {came.type} ({came.event_id})"


class Words:
    """Says changes, with the names of what they are about."""

    def __init__(self, names: Names, labels: Labels) -> None:
        self._names = names
        self._labels = labels

    def name(self, subject: Subject) -> str:
        """Return what a subject is called."""
        kind, key = subject
        if kind == "grant":
            resource, space, _ = self._names.resources.get(key, ("something", "a place", ""))
            return f"{resource} in {space} for @{self._names.accounts.get(key, '?')}"
        if kind == "account":
            return f"@{self._names.accounts.get(key, '?')}"
        plan = self._names.plan_of.get(key, "a plan")
        if kind == "subscription":
            return f"Subscription {self._names.external.get(key, '')} to {plan}"
        return f"The order of {plan}" if kind == "order" else f"Access to {plan}"

    def say(self, change: Change) -> str:
        """Return what was changed, and what was answered."""
        kind = change.subject[0]
        if kind == "grant":
            return self._grant(change)
        subject = self.name(change.subject)
        if kind == "subscription":
            return f"{subject}: {_differences(change)}."
        if kind == "entitlement":
            return f"{subject} {self._entitlement(change)}."
        done = {**_ORDERS, **_ACCOUNTS}.get(change.action) or change.action.partition(".")[2].replace("_", " ")
        return f"{subject} {done}."

    def _entitlement(self, change: Change) -> str:
        state, until = change.after.get("state"), change.after.get("until")
        if state == "ended":
            return f"ended{_because(change)}"
        if state == "suspended":
            return f"is suspended{_because(change)}"
        lasts = f"until {_date(until)}" if until else "for life"
        plan = self._names.plans.get(str(change.after.get("plan")), "")
        moved = f", now as {plan}" if change.before.get("plan") not in {None, change.after.get("plan")} else ""
        return f"{'opened' if change.before.get('state') != 'active' else 'goes on'} {lasts}{moved}"

    def _grant(self, change: Change) -> str:
        what, space, platform = self._names.resources.get(change.subject[1], ("something", "a place", ""))
        who, where = f"@{self._names.accounts.get(change.subject[1], '?')}", _label(platform, self._labels)
        because = _because(change)
        said = {
            "wanted": f"{who} is to have {what} in {space}.",
            "unwanted": f"{who} is to have {what} in {space} no longer.",
            "granted": f"{where}: {what} was given to {who}{because}.",
            "revoked": f"{where}: {what} was taken from {who}{because}.",
            "unknown": f"{where}: nothing was taken from {who}{because}.",
            "pending": f"{where} failed{because}. It is tried again.",
            "blocked": f"{where} refused {what} for {who}{because}.",
            "dead": f"{what} for {who} was given up{because}.",
            "joined": f"{who} came into {space}.",
            "left": f"{who} left {space}.",
            "drifted": f"{where} was asked what {who} has{because}.",
            "retried": f"{what} for {who} is tried again{because}.",
            "opened": f"The owner was asked to take {what} from {who}{because}.",
        }
        return said.get(change.action.partition(".")[2], f"{what} for {who}: {change.action}{because}.")


def _because(change: Change) -> str:
    return f": {change.answer.rstrip('.')}" if change.answer else ""


def _differences(change: Change) -> str:
    told = [
        f"{word} {_shown(change.after.get(key))}" if not change.before.get("status") else
        f"{word} {_shown(change.before.get(key))} → {_shown(change.after.get(key))}"
        for key, word in _FACTS.items()
        if change.after.get(key) != change.before.get(key) and (change.before.get("status") or change.after.get(key))
    ]  # fmt: skip
    return ", ".join(told) or "its plan changed"


def _shown(value: Any) -> str:  # noqa: ANN401 - the record keeps plain JSON
    if not value:
        return "never"
    return _date(value) if "T" in str(value) else str(value)


def _date(text: Any) -> str:  # noqa: ANN401
    return f"{datetime.fromisoformat(str(text)):%-d %B %Y}"


def _label(platform: str, labels: Labels) -> str:
    return labels.get(PlatformName(platform), platform)
