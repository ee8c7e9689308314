"""Every hosted page."""

from aiohttp import web

from sandbox.stripe.checkout_page import CheckoutPages
from sandbox.stripe.model import StripeModel
from sandbox.stripe.webhooks import Webhooks


def routes(model: StripeModel, webhooks: Webhooks) -> list[web.RouteDef]:
    """Return the routes of all pages."""
    return [*CheckoutPages(model, webhooks).routes()]
