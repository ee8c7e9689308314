"""What a person may pay with on a hosted page, and what they typed."""

from sandbox.stripe import cards
from sandbox.stripe.cards import Card, Debit
from sandbox.stripe.resource import Resource

REFUSED_CARD = "Your card was declined. Your request was in test mode, but used a non test card."


class PageError(Exception):
    """The page is shown again with this sentence."""


def means_of(number: str, session: Resource) -> Card | Debit:
    """Return the card or account behind what was typed; raise PageError."""
    plain = number.replace(" ", "").upper()
    debit = cards.DEBITS.get(plain)
    return debit if debit is not None and debit.kind == debit_of(session) else card_of(number)


def card_of(number: str) -> Card:
    """Return the test card that was typed; raise PageError."""
    plain = number.replace(" ", "")
    if not plain.isdecimal() or not cards.luhn(plain):
        raise PageError("Your card number is invalid.")
    card = cards.CARDS.get(plain)
    if card is None:
        raise PageError(REFUSED_CARD)
    return card


def debit_of(session: Resource) -> str | None:
    """Return the kind of bank debit the page offers, if any."""
    kind = cards.DEBIT_FOR.get(session["currency"])
    params = session.hidden["params"]
    allowed, excluded = params.get("allowed_payment_method_types"), params.get("excluded_payment_method_types") or []
    return kind if kind and (allowed is None or kind in allowed) and kind not in excluded else None


def needs_payment_method(session: Resource) -> bool:
    """Tell whether the page asks for a card: not when nothing is due and none is wanted for later."""
    return bool(session["amount_total"]) or (session["mode"] == "subscription" and session["payment_method_collection"] == "always")
