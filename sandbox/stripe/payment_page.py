"""The hosted invoice page, and the 3-D Secure page of a payment that the API started."""

from html import escape

from aiohttp import web

from sandbox.stripe import checkout_means, collection, payment_intents, payment_methods
from sandbox.stripe.account import Account
from sandbox.stripe.cards import message
from sandbox.stripe.checkout_means import PageError
from sandbox.stripe.model import StripeModel
from sandbox.stripe.money import written
from sandbox.stripe.page_layout import button, field, no_page, page
from sandbox.stripe.payments import PRESENT
from sandbox.stripe.portal_page import day
from sandbox.stripe.resource import Resource


class PaymentPages:
    """GET and POST of ``/i/{invoice}`` and ``/authenticate/{client_secret}``."""

    def __init__(self, model: StripeModel) -> None:
        self._model = model

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/i/{invoice}", self.show),
            web.post("/i/{invoice}", self.pay),
            web.get("/authenticate/{secret}", self.challenge),
            web.post("/authenticate/{secret}", self.answer),
        ]

    def _find(self, kind: str, identifier: str) -> tuple[Account, Resource]:
        self._model.tick()
        for account in self._model.accounts.values():
            row = account.table(kind).find(identifier)
            if row is not None:
                return account, row
        raise no_page("There is no such page", "Go back to where you came from.")

    async def show(self, request: web.Request) -> web.Response:
        """Show the invoice."""
        account, invoice = self._find("invoice", request.match_info["invoice"])
        return invoice_page(account, invoice)

    async def pay(self, request: web.Request) -> web.StreamResponse:
        """Pay the invoice with a card typed here."""
        account, invoice = self._find("invoice", request.match_info["invoice"])
        number = str((await request.post()).get("card_number", ""))
        if invoice["status"] != "open":
            return invoice_page(account, invoice, "This invoice is not open for payment.")
        try:
            method = payment_methods.make(account, checkout_means.card_of(number))
        except PageError as refused:
            return invoice_page(account, invoice, str(refused))
        said = collection.collect(account, invoice, method, PRESENT)
        if said.outcome == "declined":
            return invoice_page(account, invoice, message(said.decline or ""))
        if said.outcome == "requires_action":
            raise web.HTTPSeeOther(f"/authenticate/{invoice.hidden['intent']['client_secret']}")
        raise web.HTTPSeeOther(f"/i/{invoice.id}")

    def _intent(self, request: web.Request) -> tuple[Account, Resource]:
        secret = request.match_info["secret"]
        account, intent = self._find("payment_intent", secret.partition("_secret_")[0])
        if intent["client_secret"] != secret or intent["status"] != "requires_action":
            raise no_page("There is nothing to confirm here", "Go back to where you came from.")
        return account, intent

    async def challenge(self, request: web.Request) -> web.Response:
        """Show the bank's question."""
        _, intent = self._intent(request)
        said = f"Your bank asks you to confirm {written(intent['amount'], intent['currency'])}."
        choices = button("Complete", "outcome", "complete") + button("Fail", "outcome", "fail", quiet=True)
        return page("3-D Secure", (f'<p>{escape(said)}</p><form method="post">{choices}</form>',))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take the person's answer and send them back to where the payment began."""
        account, intent = self._intent(request)
        passed = (await request.post()).get("outcome") == "complete"
        payment_intents.authenticate(account, intent, passed=passed)
        invoice = intent.hidden.get("invoice")
        back = intent.hidden.get("return_url") or (f"/i/{invoice.id}" if invoice is not None else None)
        if back:
            raise web.HTTPSeeOther(back)
        return page("Payment confirmed" if passed else "Payment not confirmed", ("<p>You may close this page.</p>",))


def invoice_page(account: Account, invoice: Resource, error: str | None = None) -> web.Response:
    """Render an invoice, with a form while it is open."""
    currency = invoice["currency"]
    lines = "".join(
        f"<li>{escape(each['description'])}: {escape(written(each['amount'], currency))}</li>" for each in invoice["lines"]["data"]
    )
    parts = [f"<p>{escape(account.name)}, {day(invoice['created'])}</p><section><ul>{lines}</ul>"]
    parts.append(f'<p class="total">{escape(written(invoice["amount_due"], currency))}</p><p>{escape(invoice["status"])}</p></section>')
    if invoice["status"] == "open":
        number = field(
            "card_number", "Card number", hint="A test card, such as 4242 4242 4242 4242.", inputmode="numeric", autocomplete="cc-number"
        )
        parts.append(f'<form method="post">{number}{button("Pay")}</form>')
    return page(f"Invoice {invoice['number'] or ''}".strip(), parts, error=error, status=402 if error else 200)
