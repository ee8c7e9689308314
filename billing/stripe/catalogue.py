"""What we sell, as Stripe has it: parameters of products, prices and customers."""

from collections.abc import Mapping

from stripe.params import CustomerCreateParams, PriceCreateParams, ProductCreateParams

from core.money import Money
from core.payments import Interval


def product_params(name: str, description: str, metadata: Mapping[str, str]) -> ProductCreateParams:
    """Return the parameters of a product. An empty description is left out: Stripe reads it as "delete it" and refuses."""
    params: ProductCreateParams = {"name": name, "metadata": dict(metadata)}
    if description:
        params["description"] = description
    return params


def price_params(product: str, price: Money, interval: Interval, metadata: Mapping[str, str]) -> PriceCreateParams:
    """Return the parameters of a price. A pass and a lifetime are paid once: how long they last is ours to know."""
    params: PriceCreateParams = {
        "product": product,
        "currency": price.currency.lower(),
        "unit_amount": price.minor,
        "metadata": dict(metadata),
    }
    if interval.recurring:
        params["recurring"] = {"interval": interval.unit.value, "interval_count": interval.count}
    return params


def customer_params(name: str, metadata: Mapping[str, str]) -> CustomerCreateParams:
    """Return the parameters of a customer, whose e-mail address only Checkout asks for."""
    params: CustomerCreateParams = {"metadata": dict(metadata)}
    if name:
        params["name"] = name
    return params
