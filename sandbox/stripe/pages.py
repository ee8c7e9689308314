"""Every hosted page."""

from aiohttp import web

from sandbox.stripe.checkout_page import CheckoutPages
from sandbox.stripe.model import StripeModel
from sandbox.stripe.payment_page import PaymentPages
from sandbox.stripe.portal_page import PortalPages
from sandbox.stripe.webhooks import Webhooks


def routes(model: StripeModel, webhooks: Webhooks) -> list[web.RouteDef]:
    """Return the routes of all pages."""
    return [*CheckoutPages(model, webhooks).routes(), *PortalPages(model).routes(), *PaymentPages(model).routes()]
