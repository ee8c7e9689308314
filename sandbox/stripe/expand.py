"""``expand[]``: ids replaced by the objects they name, and parts that are left out unless asked for."""

from collections.abc import Callable

from sandbox.stripe.account import Account
from sandbox.stripe.errors import invalid
from sandbox.stripe.resource import Json, Resource, list_of

MAX_DEPTH = 4
MAX_LISTED = 10

Included = Callable[[Account, Json], object]


def _rows(kind: str, field: str, rows: list[Resource], identifier: str) -> Json:
    data = rows[::-1][:MAX_LISTED]
    return list_of(f"/v1/{kind}?{field}={identifier}", list(data), has_more=len(rows) > MAX_LISTED)


def _line_items(account: Account, session: Json) -> object:
    row = account.table("checkout.session").get(session["id"])
    return list_of(f"/v1/checkout/sessions/{row.id}/line_items", list(row.hidden["line_items"]))


def _payments(account: Account, invoice: Json) -> object:
    return _rows("invoice_payments", "invoice", account.table("invoice_payment").where("invoice", invoice["id"]), invoice["id"])


def _subscriptions(account: Account, customer: Json) -> object:
    rows = [row for row in account.table("subscription").where("customer", customer["id"]) if row["status"] != "canceled"]
    return _rows("subscriptions", "customer", rows, customer["id"])


def _refunds(account: Account, charge: Json) -> object:
    return _rows("refunds", "charge", account.table("refund").where("charge", charge["id"]), charge["id"])


def _confirmation_secret(account: Account, invoice: Json) -> object:
    for payment in account.table("invoice_payment").where("invoice", invoice["id"]):
        intent = account.table("payment_intent").get(payment["payment"]["payment_intent"])
        return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None


INCLUDED: dict[tuple[str, str], Included] = {
    ("checkout.session", "line_items"): _line_items,
    ("invoice", "payments"): _payments,
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "sources"): lambda _account, customer: list_of(f"/v1/customers/{customer['id']}/sources", []),
    ("charge", "refunds"): _refunds,
}


def expanded(account: Account, shown: Json, paths: list[str]) -> Json:
    """Return ``shown`` with each of ``paths`` expanded; what is stored is not touched."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > MAX_DEPTH:
            raise invalid(f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}", "expand")
        shown = _walk(account, shown, parts, path)
    return shown


def _walk(account: Account, shown: Json, parts: list[str], path: str) -> Json:
    copy = dict(shown)
    name, rest = parts[0], parts[1:]
    if shown.get("object") == "list" and name == "data":
        copy["data"] = [_walk(account, item, rest, path) if rest else item for item in shown["data"]]
        return copy
    value = shown.get(name)
    included = INCLUDED.get((str(shown.get("object")), name))
    if value is None and included:
        value = included(account, shown)
    elif name not in shown:
        raise invalid(
            f"This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' instead."
            if shown.get("object") == "list"
            else f"This property cannot be expanded ({path}).",
            "expand",
        )
    copy[name] = _resolved(account, value, rest, path)
    return copy


def _resolved(account: Account, value: object, rest: list[str], path: str) -> object:
    if isinstance(value, list):
        return [_resolved(account, item, rest, path) for item in value]
    if isinstance(value, str):
        found = account.find(value)
        if found is None:
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        value = found
    if isinstance(value, dict) and rest:
        return _walk(account, value, rest, path)
    return value
