"""Every route of the API that the sandbox knows."""

from sandbox.stripe import (
    account_routes,
    charges,
    checkout,
    coupons,
    customer_deletion,
    customers,
    disputes,
    events,
    invoice_routes,
    payment_intent_routes,
    payment_methods,
    portal,
    products,
    refunds,
    subscription_changes,
    subscription_ends,
    subscription_schedules,
    subscriptions,
    test_clocks,
)
from sandbox.stripe.call import Router

ROUTER = Router(
    [
        *products.ROUTES,
        *customers.ROUTES,
        *customer_deletion.ROUTES,
        *payment_methods.ROUTES,
        *payment_intent_routes.ROUTES,
        *charges.ROUTES,
        *refunds.ROUTES,
        *disputes.ROUTES,
        *coupons.ROUTES,
        *subscriptions.ROUTES,
        *subscription_changes.ROUTES,
        *subscription_ends.ROUTES,
        *subscription_schedules.ROUTES,
        *invoice_routes.ROUTES,
        *checkout.ROUTES,
        *portal.ROUTES,
        *events.ROUTES,
        *test_clocks.ROUTES,
        *account_routes.ROUTES,
    ]
)
