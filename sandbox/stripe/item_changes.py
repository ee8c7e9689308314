"""Changing what a subscription holds: new prices and quantities, and what is owed for the rest of the period."""

from dataclasses import dataclass

from sandbox.stripe import cycle, invoice_lines, prices, subscription_items
from sandbox.stripe.account import Account
from sandbox.stripe.errors import invalid, no_such
from sandbox.stripe.params import merged
from sandbox.stripe.resource import Json, Resource


@dataclass(frozen=True, slots=True)
class ItemChange:
    """Items before and after; ``restarts`` when the interval changes, which begins a new period now."""

    before: list[Json]
    after: list[Json]

    @property
    def restarts(self) -> bool:
        """Whether the billing interval changes."""
        old, new = self.before[0]["price"]["recurring"], self.after[0]["price"]["recurring"]
        return (old["interval"], old["interval_count"]) != (new["interval"], new["interval_count"])

    @property
    def priced_anew(self) -> bool:
        """Whether anything to pay changes."""
        return [_worth(item) for item in self.before] != [_worth(item) for item in self.after]

    def prorations(self, account: Account, now: int) -> list[Json]:
        """Return the credit for the old items' unused time and, unless a new period begins, the charge for the new items'."""
        kept = [_worth(item) for item in self.after]
        gone = [item for item in self.before if self.restarts or _worth(item) not in kept]
        had = [_worth(item) for item in self.before]
        come = [] if self.restarts else [item for item in self.after if _worth(item) not in had]
        lines = [invoice_lines.proration(account, item, now, credit=True) for item in gone]
        return lines + [invoice_lines.proration(account, item, now, credit=False) for item in come]


def _worth(item: Json) -> tuple[str, str, int]:
    return item["id"], item["price"]["id"], item["quantity"]


def plan(account: Account, subscription: Resource, given: list[Json]) -> ItemChange:
    """Work out the items after ``items[]`` of an update, changing nothing yet."""
    before = cycle.items_of(subscription)
    after: dict[str, Json] = {item["id"]: item for item in before}
    period = (before[0]["current_period_start"], before[0]["current_period_end"])
    for place, each in enumerate(given):
        param = f"items[{place}]"
        if "id" not in each:
            price = subscription_items.price_of(account, each, param)
            made = subscription_items.make(account, subscription.id, price, each.get("quantity", 1), each.get("metadata") or {}, period)
            after[made.id] = made
            continue
        if each["id"] not in after:
            raise no_such("subscription_item", each["id"], f"{param}[id]")
        if each.get("deleted"):
            del after[each["id"]]
        else:
            after[each["id"]] = _changed(account, after[each["id"]], each, param)
    if not after:
        raise invalid("A subscription must have at least one active price. Cancel the subscription instead.", "items")
    subscription_items.check_together([item["price"] for item in after.values()])
    if next(iter(after.values()))["price"]["currency"] != subscription["currency"]:
        raise invalid(f"A subscription keeps its currency, {subscription['currency']}.", "items")
    return ItemChange(list(before), list(after.values()))


def _changed(account: Account, item: Json, given: Json, param: str) -> Json:
    found = item["price"] if not {"price", "price_data"} & given.keys() else subscription_items.price_of(account, given, param)
    note = merged(item["metadata"], given["metadata"]) if "metadata" in given else item["metadata"]
    changed = {"price": found, "plan": prices.plan_of(found), "quantity": given.get("quantity", item["quantity"]), "metadata": note}
    return Resource({**item, **changed})


def apply(account: Account, subscription: Resource, change: ItemChange) -> None:
    """Put the items after the change on the subscription."""
    table = account.table("subscription")
    for item in change.before:
        table.unlink(subscription, "price", item["price"]["id"])
    subscription["items"] = {**subscription["items"], "data": change.after}
    for item in change.after:
        table.link(subscription, "price", item["price"]["id"])
