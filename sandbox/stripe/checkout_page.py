"""The hosted Checkout page, and the 3-D Secure page behind it."""

from html import escape

from aiohttp import web

from sandbox.stripe import checkout_means, checkout_payment
from sandbox.stripe.account import Account
from sandbox.stripe.cards import message
from sandbox.stripe.checkout_means import PageError
from sandbox.stripe.checkout_payment import Typed
from sandbox.stripe.errors import ApiError
from sandbox.stripe.model import StripeModel
from sandbox.stripe.money import written
from sandbox.stripe.page_layout import button, field, link, no_page, page, rows
from sandbox.stripe.payments import Verdict
from sandbox.stripe.resource import Resource
from sandbox.stripe.webhooks import Webhooks

PATIENCE = 10.0
"""Real seconds the redirect waits for the answer to checkout.session.completed."""
PLACEHOLDER = "{CHECKOUT_SESSION_ID}"
VERBS = {"donate": "Donate", "book": "Book", "subscribe": "Subscribe"}


class CheckoutPages:
    """GET and POST of ``/c/pay/{session}`` and ``/c/pay/{session}/authenticate``."""

    def __init__(self, model: StripeModel, webhooks: Webhooks) -> None:
        self._model, self._webhooks = model, webhooks

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/c/pay/{session}", self.show),
            web.post("/c/pay/{session}", self.submit),
            web.get("/c/pay/{session}/authenticate", self.challenge),
            web.post("/c/pay/{session}/authenticate", self.answer),
        ]

    def _find(self, request: web.Request) -> tuple[Account, Resource]:
        self._model.tick()
        for account in self._model.accounts.values():
            session = account.table("checkout.session").find(request.match_info["session"])
            if session is not None:
                return account, session
        raise no_page("There is no such payment page", "Go back to where you came from and start again.")

    async def show(self, request: web.Request) -> web.Response:
        """Show what is bought and ask for a card."""
        account, session = self._find(request)
        return form(account, session)

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Pay, or put a promotion code on the session."""
        account, session = self._find(request)
        typed = {key: str(value) for key, value in (await request.post()).items()}
        try:
            if typed.get("action") == "code":
                checkout_payment.apply_code(account, session, typed.get("promotion_code", ""))
                return form(account, session, typed)
            number = typed.get("bank_account") or typed.get("card_number", "")
            said = checkout_payment.pay(account, session, Typed(typed.get("email", ""), number, typed.get("name", "")))
        except (PageError, ApiError) as refused:
            return form(account, session, typed, error=str(refused))
        if said.outcome == "requires_action":
            raise web.HTTPSeeOther(f"/c/pay/{session.id}/authenticate")
        return await self._conclude(account, session, said, typed)

    async def challenge(self, request: web.Request) -> web.Response:
        """Show the bank's 3-D Secure page."""
        _, session = self._find(request)
        said = f"Your bank asks you to confirm {written(session['amount_total'], session['currency'])}."
        parts = (
            f"<p>{escape(said)}</p>",
            '<form method="post">',
            button("Complete", "outcome", "complete"),
            button("Fail", "outcome", "fail", quiet=True),
            "</form>",
        )
        return page("3-D Secure", parts)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take what the person told their bank."""
        account, session = self._find(request)
        outcome = (await request.post()).get("outcome")
        try:
            said = checkout_payment.authenticate(account, session, passed=outcome == "complete")
        except (PageError, ApiError) as refused:
            return form(account, session, error=str(refused))
        return await self._conclude(account, session, said, {})

    async def _conclude(self, account: Account, session: Resource, said: Verdict, typed: dict[str, str]) -> web.StreamResponse:
        if said.outcome == "declined":
            return form(account, session, typed, error=message(said.decline or ""))
        event = account.table("event").where("type", "checkout.session.completed")[-1]
        await self._webhooks.first_attempt(event, PATIENCE)
        raise web.HTTPSeeOther(str(session["success_url"]).replace(PLACEHOLDER, session.id))


def form(account: Account, session: Resource, typed: dict[str, str] | None = None, *, error: str | None = None) -> web.Response:
    """Render the page of an open session, or say why it is closed."""
    if session["status"] != "open":
        paid = session["status"] == "complete"
        title = "You have paid" if paid else "This page has expired"
        said = "Nothing more is to be done here." if paid else "Nothing was charged. Go back and start again."
        return page(title, (f"<p>{said}</p>", _back(session)), status=200 if paid else 410)
    given = typed or {}
    email = session["customer_email"] or (account.table("customer").get(session["customer"])["email"] if session["customer"] else None)
    shown = [_summary(session), _code(session), '<form method="post">', "<h2>Your details</h2>"]
    shown.append(
        f"<p>{escape(email)}</p>"
        if email
        else field("email", "E-mail", given.get("email", ""), type="email", autocomplete="email", required="")
    )
    shown.append(field("name", "Name", given.get("name", ""), autocomplete="name"))
    if checkout_means.needs_payment_method(session):
        shown.append(_means(session, given))
    shown += [button(_verb(session)), "</form>", _back(session)]
    return page(f"Pay {account.name}", shown, error=error, status=402 if error else 200)


def _means(session: Resource, given: dict[str, str]) -> str:
    hint = "Test cards: 4242 4242 4242 4242 pays, 4000 0000 0000 0002 is declined, 4000 0025 0000 3155 asks for 3-D Secure."
    numeric = {"inputmode": "numeric"}
    parts = [
        "<h2>Card</h2>",
        field("card_number", "Card number", given.get("card_number", ""), hint=hint, autocomplete="cc-number", **numeric),
        field("expiry", "Expiry (MM/YY)", given.get("expiry", "12/34"), autocomplete="cc-exp"),
        field("cvc", "Security code", given.get("cvc", "123"), autocomplete="cc-csc", **numeric),
    ]
    debit = checkout_means.debit_of(session)
    if debit is not None:
        example = "DE89370400440532013000" if debit == "sepa_debit" else "000123456789"
        parts += [
            "<h2>Or from a bank account</h2>",
            field("bank_account", "IBAN or account number", hint=f"Takes days to arrive. Test account: {example}"),
        ]
    return "".join(parts)


def _summary(session: Resource) -> str:
    items = session.hidden["line_items"]
    currency = session["currency"]
    pairs = [(_named(item), written(item["amount_subtotal"], currency)) for item in items]
    taken = session["total_details"]["amount_discount"]
    pairs += [("Discount", f"\N{MINUS SIGN}{written(taken, currency)}")] if taken else []
    total = escape(written(session["amount_total"], currency))
    data = session.hidden["params"].get("subscription_data") or {}
    trial = f"<p>{data['trial_period_days']} days free, then the price above.</p>" if data.get("trial_period_days") else ""
    return f'<section aria-label="What you pay for">{rows(pairs)}<p class="total">{total} today</p>{trial}</section>'


def _named(item: dict[str, object]) -> str:
    price = item["price"]
    every = price["recurring"] if isinstance(price, dict) else None
    if not every:
        return f"{item['description']}"
    count, interval = every["interval_count"], every["interval"]
    return f"{item['description']}, every {interval if count == 1 else f'{count} {interval}s'}"


def _code(session: Resource) -> str:
    if not session["allow_promotion_codes"]:
        return ""
    hidden = '<input type="hidden" name="action" value="code">'
    return f'<form method="post">{hidden}{field("promotion_code", "Promotion code")}{button("Apply", quiet=True)}</form>'


def _verb(session: Resource) -> str:
    chosen = VERBS.get(session["submit_type"] or "", "Subscribe" if session["mode"] == "subscription" else "Pay")
    amount = session["amount_total"]
    return f"{chosen} {written(amount, session['currency'])}" if amount else "Start"


def _back(session: Resource) -> str:
    return (
        f"<p>{link(session['cancel_url'], 'Go back without paying')}</p>"
        if session["cancel_url"] and session["status"] != "complete"
        else ""
    )
