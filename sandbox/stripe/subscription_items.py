"""Subscription items: docs.stripe.com/api/subscription_items (as part of their subscription)."""

from sandbox.stripe import prices, products
from sandbox.stripe.account import Account
from sandbox.stripe.errors import invalid, missing_parameter
from sandbox.stripe.params import array, boolean, integer, merged, metadata, nested, text
from sandbox.stripe.resource import Json, Resource

PRICE_DATA = nested({**prices.DATA, "product": text}, "currency", "product", "recurring")
ITEM = {"price": text, "price_data": PRICE_DATA, "quantity": integer, "metadata": metadata}
CREATION = array(nested(ITEM))
CHANGE = array(nested({**ITEM, "id": text, "deleted": boolean}))
MOST = 20


def priced(account: Account, given: list[Json]) -> list[tuple[Resource, int, Json]]:
    """Return (price, quantity, metadata) per item; raise unless all recur at one interval in one currency."""
    if not given:
        raise missing_parameter("items")
    if len(given) > MOST:
        raise invalid(f"A subscription can have at most {MOST} items.", "items")
    found = [
        (price_of(account, item, f"items[{place}]"), item.get("quantity", 1), item.get("metadata") or {})
        for place, item in enumerate(given)
    ]
    check_together([price for price, _, _ in found])
    return found


def price_of(account: Account, item: Json, param: str) -> Resource:
    """Return the recurring price an item names or describes."""
    if "price_data" in item:
        return products.price_of(account, item["price_data"], f"{param}[price_data]")
    if "price" not in item:
        raise missing_parameter(f"{param}[price]")
    price = prices.sellable(account, item["price"], f"{param}[price]")
    if price["type"] != "recurring":
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.", f"{param}[price]"
        )
    return price


def check_together(found: list[Resource]) -> None:
    """Raise unless the prices fit on one subscription."""
    if len({price["currency"] for price in found}) > 1:
        raise invalid("All prices on a subscription must have the same currency.", "items")
    if len({(price["recurring"]["interval"], price["recurring"]["interval_count"]) for price in found}) > 1:
        raise invalid("All prices on a subscription must have the same interval in this sandbox.", "items")
    if len({price.id for price in found}) < len(found):
        raise invalid("A subscription can hold each price once only; raise its quantity instead.", "items")


def make(account: Account, subscription: str, price: Resource, quantity: int, note: Json, period: tuple[int, int]) -> Resource:
    """Make an item of ``subscription`` for ``period``."""
    return Resource(
        {
            "id": account.ids.new("si", 14),
            "object": "subscription_item",
            "created": account.now(),
            "current_period_end": period[1],
            "current_period_start": period[0],
            "discounts": [],
            "metadata": merged(None, note),
            "plan": prices.plan_of(price),
            "price": price,
            "quantity": quantity,
            "subscription": subscription,
            "tax_rates": [],
        }
    )
