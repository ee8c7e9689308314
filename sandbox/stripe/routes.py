"""Every route of the API that the sandbox knows."""

from sandbox.stripe import (
    charges,
    checkout,
    coupons,
    customers,
    events,
    payment_intents,
    payment_methods,
    products,
    refunds,
    subscriptions,
)
from sandbox.stripe.call import Router

ROUTER = Router(
    [
        *products.ROUTES,
        *customers.ROUTES,
        *payment_methods.ROUTES,
        *payment_intents.ROUTES,
        *charges.ROUTES,
        *refunds.ROUTES,
        *coupons.ROUTES,
        *subscriptions.ROUTES,
        *checkout.ROUTES,
        *events.ROUTES,
    ]
)
