"""Disputes and early fraud warnings, from the card that causes them to their end: docs.stripe.com/api/disputes.

As in a test account: certain cards are disputed once they have paid, and evidence that says ``winning_evidence`` or ``losing_evidence``
decides what becomes of it.
"""

from datetime import timedelta

from sandbox.stripe import cards, charges
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, get, listing, post
from sandbox.stripe.errors import invalid
from sandbox.stripe.paginate import page
from sandbox.stripe.params import boolean, merged, metadata, nested, text
from sandbox.stripe.resource import Json, Resource

EVIDENCE_WITHIN = int(timedelta(days=8).total_seconds())
"""How long there is to answer."""
DISPUTE_FEE = 1500
"""Minor units that are taken besides the amount; they do not come back."""
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
_WRITTEN = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure", "cancellation_rebuttal",
    "customer_communication", "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
    "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt",
    "refund_policy", "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "service_documentation",
    "shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file",
    "uncategorized_text",
)  # fmt: skip


def open_one(account: Account, charge: Resource, reason: str = "fraudulent", *, inquiry: bool = False) -> Resource:
    """Have a charge's bank take the money back, or with ``inquiry`` only ask; it goes on until :func:`close`."""
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise invalid(f"Charge {charge.id} cannot be disputed.", "charge")
    now = account.now(charge["customer"])
    shown = {
        "id": account.ids.new("du"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge.id,
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_WRITTEN), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + EVIDENCE_WITHIN, "enhanced_eligibility": {}, "has_evidence": False, "past_due": False, "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa", "case_type": "inquiry" if inquiry else "chargeback", "network": "visa", "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }  # fmt: skip
    dispute = account.table("dispute").add(Resource(shown, {"customer": charge["customer"]}), charge=charge.id)
    charge["disputed"] = True
    account.emit("charge.dispute.created", dispute)
    if not inquiry:
        _move(account, dispute, -charge["amount"], DISPUTE_FEE, "charge.dispute.funds_withdrawn")
    return dispute


def close(account: Account, dispute: Resource, *, won: bool) -> None:
    """End a dispute; a won one gives the money back, without the fee."""
    if dispute["status"] not in OPEN:
        raise invalid(f"Dispute {dispute.id} is already closed.", "dispute")
    inquiry = dispute["status"].startswith("warning_")
    with account.changing(dispute, "charge.dispute.closed"):
        dispute["status"] = "warning_closed" if inquiry else "won" if won else "lost"
    if won and not inquiry:
        _move(account, dispute, dispute["amount"], 0, "charge.dispute.funds_reinstated")


def warn(account: Account, charge: Resource) -> Resource:
    """Have a charge's issuer call it fraud, before any dispute."""
    shown = {
        "id": account.ids.new("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": charge.id,
        "created": account.now(charge["customer"]),
        "fraud_type": "made_with_stolen_card",
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }
    warning = account.table("radar.early_fraud_warning").add(Resource(shown), charge=charge.id)
    account.emit("radar.early_fraud_warning.created", warning)
    return warning


def follow(account: Account, charge: Resource, means: object) -> None:
    """Have done to a charge what its card is for, once all that follows from paying is through."""
    if not isinstance(means, cards.Card) or not means.disputed:
        return
    timeline, kind = account.timeline(charge["customer"]), means.disputed

    def disputed() -> None:
        if kind == "warning":
            warn(account, charge)
        else:
            open_one(account, charge, inquiry=kind == "inquiry")

    timeline.schedule(timeline.now() + account.policy.disputed_after, disputed)


def _move(account: Account, dispute: Resource, amount: int, fee: int, kind: str) -> None:
    source = Resource({**dispute, "customer": dispute.hidden["customer"], "description": "Dispute"})
    entry = charges.entry(account, source, amount, "adjustment", fee=fee)
    entry["reporting_category"] = "dispute" if amount < 0 else "dispute_reversal"
    dispute["balance_transactions"].append(dict(entry))
    account.emit(kind, dispute)


def _update(call: Call) -> Json:
    dispute, given = call.get("dispute"), call.params
    if dispute["status"] not in OPEN:
        raise invalid(f"Dispute {dispute.id} is already closed.", "dispute")
    evidence, submits = given.get("evidence") or {}, given.get("submit", True)
    with call.account.changing(dispute, "charge.dispute.updated"):
        dispute["metadata"] = merged(dispute["metadata"], given.get("metadata", {}))
        dispute["evidence"] = {**dispute["evidence"], **evidence}
        if evidence:
            details = {**dispute["evidence_details"], "has_evidence": True}
            if submits:
                details |= {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
                dispute["status"] = dispute["status"].replace("needs_response", "under_review")
            dispute["evidence_details"] = details
    decides = {"winning_evidence": True, "losing_evidence": False}.get(str(evidence.get("uncategorized_text")))
    if submits and decides is not None:
        close(call.account, dispute, won=decides)
    return dispute


def _accept(call: Call) -> Json:
    dispute = call.get("dispute")
    close(call.account, dispute, won=False)
    return dispute


ROUTES: list[Route] = [
    listing("/v1/disputes", lambda call: page(call, call.account.table("dispute"), charge=call.params.get("charge")), {"charge": text}),
    get("/v1/disputes/*", lambda call: call.get("dispute")),
    post(
        "/v1/disputes/*",
        _update,
        {"evidence": nested(dict.fromkeys(_WRITTEN, text)), "metadata": metadata, "submit": boolean},
    ),
    post("/v1/disputes/*/close", _accept),
    listing(
        "/v1/radar/early_fraud_warnings",
        lambda call: page(call, call.account.table("radar.early_fraud_warning"), charge=call.params.get("charge")),
        {"charge": text},
    ),
    get("/v1/radar/early_fraud_warnings/*", lambda call: call.get("radar.early_fraud_warning")),
]
