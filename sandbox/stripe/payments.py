"""One attempt to take money for a payment intent: what the bank says, the charge, and what becomes of the intent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.stripe import cards, charges, disputes, payment_methods
from sandbox.stripe.account import Account
from sandbox.stripe.cards import Debit
from sandbox.stripe.errors import ApiError
from sandbox.stripe.resource import Json, Resource

Outcome = Literal["succeeded", "processing", "requires_action", "declined"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the bank says; ``decline`` is a decline code when it refuses."""

    outcome: Outcome
    decline: str | None = None


@dataclass(frozen=True, slots=True)
class Payer:
    """Whether the payer is there, and what became of 3-D Secure, if it was tried."""

    present: bool = False
    authenticated: bool | None = None


ABSENT = Payer()
PRESENT = Payer(present=True)


def verdict(method: Resource, payer: Payer) -> Verdict:
    """Ask the bank, without any effect."""
    means = payment_methods.means_of(method)
    if isinstance(means, Debit):
        return Verdict("processing")
    if payer.authenticated is False:
        return Verdict("declined", "payment_intent_authentication_failure")
    if payer.present and means.authentication != "never" and payer.authenticated is None:
        return Verdict("requires_action")
    known = means.authentication == "never" or (means.authentication == "once" and method.hidden["authenticated"])
    if not payer.present and not known:
        return Verdict("declined", "authentication_required")
    decline = means.present if payer.present else means.absent
    return Verdict("declined", decline) if decline else Verdict("succeeded")


def attempt(account: Account, intent: Resource, method: Resource, payer: Payer) -> Verdict:
    """Try to collect ``intent`` with ``method``.

    Each of ``intent.hidden["watchers"]`` is called with the decline code, or None when it was paid; for a bank debit days later.
    """
    said = verdict(method, payer)
    intent["payment_method"], intent["next_action"] = method.id, None
    if said.outcome == "requires_action":
        _ask_for_authentication(account, intent)
    elif said.outcome == "processing":
        _wait_for_debit(account, intent, method)
    elif said.outcome == "declined":
        decline = said.decline or "generic_decline"
        charge = None if decline == "payment_intent_authentication_failure" else charges.create(account, intent, method, "failed", decline)
        _refuse(account, intent, method, charge, decline)
    else:
        method.hidden["authenticated"] |= payer.authenticated is True
        charge = charges.create(account, intent, method, "succeeded")
        _accept(account, intent, charge)
        disputes.follow(account, charge, payment_methods.means_of(method))
    return said


def _ask_for_authentication(account: Account, intent: Resource) -> None:
    intent["status"] = "requires_action"
    url = f"{account.page_base}/authenticate/{intent['client_secret']}"
    intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": intent.hidden.get("return_url")}}
    account.emit("payment_intent.requires_action", intent)


def _wait_for_debit(account: Account, intent: Resource, method: Resource) -> None:
    charge = charges.create(account, intent, method, "pending")
    intent |= {"status": "processing", "latest_charge": charge.id}
    account.emit("payment_intent.processing", intent)
    means = payment_methods.means_of(method)
    failing = isinstance(means, Debit) and means.declined

    def settle() -> None:
        decline = "debit_not_authorized" if failing else None
        charges.settle(account, charge, decline)
        if decline:
            _refuse(account, intent, method, charge, decline)
        else:
            _accept(account, intent, charge)

    timeline = account.timeline(intent["customer"])
    timeline.schedule(timeline.now() + account.policy.debit_settles_after, settle)


def _accept(account: Account, intent: Resource, charge: Resource) -> None:
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge.id, "last_payment_error": None}
    account.emit("payment_intent.succeeded", intent)
    _tell(intent, None)


def _refuse(account: Account, intent: Resource, method: Resource, charge: Resource | None, decline: str) -> None:
    intent["last_payment_error"] = refusal(method, decline, charge).error
    intent |= {"status": "requires_payment_method", "payment_method": None}
    if charge is not None:
        intent["latest_charge"] = charge.id
    account.emit("payment_intent.payment_failed", intent)
    _tell(intent, decline)


def watch(intent: Resource, watcher: Callable[[str | None], None]) -> None:
    """Let ``watcher`` know how each attempt ends."""
    intent.hidden.setdefault("watchers", []).append(watcher)


def _tell(intent: Resource, decline: str | None) -> None:
    for watcher in list(intent.hidden.get("watchers", ())):
        watcher(decline)


def refusal(method: Resource, decline: str, charge: Resource | None = None, intent: Json | None = None) -> ApiError:
    """Return the card error that the API answers, and that an intent keeps as its last error."""
    extra: Json = {"payment_method": dict(method)}
    if cards.code(decline) == "card_declined" or decline == "authentication_required":
        extra["decline_code"] = decline
    if charge is not None:
        extra["charge"] = charge.id
    if intent is not None:
        extra["payment_intent"] = dict(intent)
    kind = "invalid_request_error" if decline == "payment_intent_authentication_failure" else "card_error"
    return ApiError(cards.message(decline), status=402, kind=kind, code=cards.code(decline), extra=extra)
