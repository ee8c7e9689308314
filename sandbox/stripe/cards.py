"""Test cards and bank accounts, and what becomes of a payment with each: docs.stripe.com/testing.

One card differs on purpose: ``4000000000000341`` pays while its owner is there and is declined on every payment without them,
so that a first payment succeeds and the renewal fails.
"""

from dataclasses import dataclass
from typing import Literal

Authentication = Literal["never", "once", "always"]


@dataclass(frozen=True, slots=True)
class Card:
    """A test card. A decline is a decline code, or None when the payment succeeds."""

    number: str
    brand: str = "visa"
    funding: str = "credit"
    present: str | None = None
    """The decline while the payer is there."""
    absent: str | None = None
    """The decline on a renewal."""
    authentication: Authentication = "never"
    """``once``: 3-D Secure while the payer is there; ``always``: on renewals too, which therefore fail."""
    refund: Literal["at once", "later", "fails later"] = "at once"
    """When a refund goes through; one that fails later says at first that it went through."""
    disputed: Literal["", "dispute", "inquiry", "warning"] = ""
    """What the bank does about a payment soon after it: takes the money back, asks about it, or warns of fraud."""

    @property
    def last4(self) -> str:
        """The digits that are shown."""
        return self.number[-4:]


CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242"),
        Card("4000056655665556", funding="debit"),
        Card("5555555555554444", brand="mastercard"),
        Card("5200828282828210", brand="mastercard", funding="debit"),
        Card("378282246310005", brand="amex"),
        Card("6011111111111117", brand="discover"),
        Card("4000000000000002", present="generic_decline", absent="generic_decline"),
        Card("4000000000009995", present="insufficient_funds", absent="insufficient_funds"),
        Card("4000000000009987", present="lost_card", absent="lost_card"),
        Card("4000000000009979", present="stolen_card", absent="stolen_card"),
        Card("4000000000000069", present="expired_card", absent="expired_card"),
        Card("4000000000000127", present="incorrect_cvc", absent="incorrect_cvc"),
        Card("4000000000000119", present="processing_error", absent="processing_error"),
        Card("4000000000000341", absent="insufficient_funds"),
        Card("4000000000007726", refund="later"),
        Card("4000000000005126", refund="fails later"),
        Card("4000000000000259", disputed="dispute"),
        Card("4000000000001976", disputed="inquiry"),
        Card("4000000000005423", disputed="warning"),
        Card("4000002500003155", authentication="once"),
        Card("4000000000003220", authentication="once"),
        Card("4000002760003184", authentication="always"),
        Card("4000008260003178", authentication="always", present="insufficient_funds", absent="insufficient_funds"),
    )
}

NAMED = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "pm_card_createIssuerFraudRecord": "4000000000005423",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_authenticationRequired": "4000002760003184",
}
"""Names that the API takes in place of a payment method, and the card each stands for."""

ERROR_CODES = {"expired_card": "expired_card", "incorrect_cvc": "incorrect_cvc", "processing_error": "processing_error"}
"""Decline codes that are error codes of their own; the others are card_declined."""

MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "debit_not_authorized": "The customer has notified their bank that this payment was unauthorized.",
    "payment_intent_authentication_failure": "We are unable to authenticate your payment method. Please choose a different payment method.",
}


@dataclass(frozen=True, slots=True)
class Debit:
    """A bank account that pays days later. ``declined`` tells whether it fails then."""

    kind: Literal["sepa_debit", "us_bank_account"]
    number: str
    declined: bool = False

    @property
    def last4(self) -> str:
        """The digits that are shown."""
        return self.number[-4:]


DEBITS = {
    debit.number: debit
    for debit in (
        Debit("sepa_debit", "DE89370400440532013000"),
        Debit("sepa_debit", "DE62370400440532013001", declined=True),
        Debit("us_bank_account", "000123456789"),
        Debit("us_bank_account", "000111111116", declined=True),
    )
}
DEBIT_FOR = {"eur": "sepa_debit", "usd": "us_bank_account"}
"""The bank debit offered per currency."""


def message(decline: str) -> str:
    """Say to the payer what went wrong."""
    return MESSAGES.get(decline, "Your card was declined.")


def code(decline: str) -> str:
    """Return the error code for a decline code."""
    if decline in {"authentication_required", "payment_intent_authentication_failure"}:
        return decline
    return ERROR_CODES.get(decline, "card_declined")


def luhn(number: str) -> bool:
    """Tell whether the check digit fits."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0  # noqa: PLR2004 - the sum of two digits
