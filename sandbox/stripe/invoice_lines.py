"""What stands on an invoice, line by line."""

from sandbox.stripe import money
from sandbox.stripe.account import Account
from sandbox.stripe.resource import Json, Resource


def line(account: Account, item: Json, amount: int, period: tuple[int, int], description: str, *, proration: bool = False) -> Json:
    """Render one line for a subscription item: ``amount`` minor units for ``period`` (Unix times)."""
    price = item["price"]
    details = {
        "invoice_item": None,
        "proration": proration,
        "proration_details": None,
        "subscription": item["subscription"],
        "subscription_item": item["id"],
    }
    return {
        "id": account.ids.new("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": not proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": dict(item["metadata"]),
        "parent": {"invoice_item_details": None, "subscription_item_details": details, "type": "subscription_item_details"},
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "subtotal": amount,
        "taxes": [],
    }


def charge_line(account: Account, item: Json, *, trial: bool = False) -> Json:
    """Bill an item for its current period; a trial costs nothing."""
    price = item["price"]
    name = account.table("product").get(price["product"])["name"]
    amount = 0 if trial else price["unit_amount"] * item["quantity"]
    every = price["recurring"]
    per = every["interval"] if every["interval_count"] == 1 else f"every {every['interval_count']} {every['interval']}s"
    paid = f"{item['quantity']} \N{MULTIPLICATION SIGN} {name} (at {money.written(price['unit_amount'], price['currency'])} / {per})"
    period = (item["current_period_start"], item["current_period_end"])
    return line(account, item, amount, period, f"Trial period for {name}" if trial else paid)


def proration(account: Account, item: Json, now: int, *, credit: bool) -> Json:
    """Credit (or bill) the part of the current period that is left."""
    start, end = item["current_period_start"], item["current_period_end"]
    whole = item["price"]["unit_amount"] * item["quantity"]
    left = money.share(whole, max(0, end - now), max(1, end - start))
    name = account.table("product").get(item["price"]["product"])["name"]
    said = f"Unused time on {name}" if credit else f"Remaining time on {name}"
    return line(account, item, -left if credit else left, (now, end), said, proration=True)


def spread(lines: list[Json], taken: list[Json], discounted: int) -> None:
    """Write each discount onto the lines it lowers, in proportion; the last one takes the rest."""
    able = [each for each in lines if each["discountable"] and each["amount"] > 0]
    for discount in taken:
        left = discount["amount"]
        for place, each in enumerate(able, 1):
            part = left if place == len(able) else min(left, money.share(discount["amount"], each["amount"], max(1, discounted)))
            left -= part
            each["discount_amounts"].append({"amount": part, "discount": discount["discount"]})
            each["discounts"].append(discount["discount"])


def discountable(lines: list[Json]) -> int:
    """Return the sum that discounts apply to, in minor units."""
    return sum(each["amount"] for each in lines if each["discountable"])


def renumbered(lines: list[Json], invoice: Resource) -> list[Json]:
    """Put lines on an invoice."""
    for each in lines:
        each["invoice"] = invoice.id
    return lines
