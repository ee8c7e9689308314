"""The customer portal: what one subscribes to, cancel and resume, another card, and the invoices."""

from datetime import UTC, datetime
from html import escape

from aiohttp import web

from sandbox.stripe import checkout_means, cycle, payment_methods, subscription_changes, subscription_state
from sandbox.stripe import portal as api
from sandbox.stripe.account import Account
from sandbox.stripe.checkout_means import PageError
from sandbox.stripe.collection import default_method
from sandbox.stripe.customers import use_card
from sandbox.stripe.errors import ApiError
from sandbox.stripe.model import StripeModel
from sandbox.stripe.money import written
from sandbox.stripe.page_layout import button, field, link, no_page, page, rows
from sandbox.stripe.resource import Resource

INVOICES = 12


class PortalPages:
    """GET and POST of ``/p/session/{token}``."""

    def __init__(self, model: StripeModel) -> None:
        self._model = model

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get("/p/session/{token}", self.show), web.post("/p/session/{token}", self.act)]

    def _find(self, request: web.Request) -> tuple[Account, Resource]:
        self._model.tick()
        for account in self._model.accounts.values():
            for session in account.table(api.SESSION).where("token", request.match_info["token"]):
                if account.now() < session["created"] + account.policy.portal_expires_after:
                    return account, session
                raise no_page("This link has expired", "Ask for a new one where you got it.")
        raise no_page("There is no such page", "Ask for a new link where you got it.")

    async def show(self, request: web.Request) -> web.Response:
        """Show the portal."""
        return overview(*self._find(request))

    async def act(self, request: web.Request) -> web.StreamResponse:
        """Do what a button says, then show the portal again."""
        account, session = self._find(request)
        typed = {key: str(value) for key, value in (await request.post()).items()}
        try:
            _act(account, session, typed)
        except (PageError, ApiError) as refused:
            return overview(account, session, str(refused))
        raise web.HTTPSeeOther(f"/p/session/{request.match_info['token']}")


def _act(account: Account, session: Resource, typed: dict[str, str]) -> None:
    action = typed.get("action")
    if action == "card":
        means = checkout_means.card_of(typed.get("card_number", ""))
        customer = account.table("customer").get(session["customer"])
        method = payment_methods.make(account, means, billing={"email": customer["email"]})
        use_card(account, customer, method)
        for subscription in _alive(account, session):
            with account.changing(subscription, "customer.subscription.updated"):
                subscription["default_payment_method"] = method.id
        return
    subscription = account.table("subscription").get(typed.get("subscription", ""))
    if subscription["customer"] != session["customer"]:
        raise PageError("This is not your subscription.")
    if action == "cancel":
        subscription_changes.update(account, subscription, {"cancel_at_period_end": True})
    elif action == "resume":
        subscription_changes.update(account, subscription, {"cancel_at_period_end": False})


def _alive(account: Account, session: Resource) -> list[Resource]:
    rows_ = account.table("subscription").where("customer", session["customer"])
    return [row for row in rows_ if row["status"] not in subscription_state.OVER]


def overview(account: Account, session: Resource, error: str | None = None) -> web.Response:
    """Render the portal."""
    parts = [_subscription(account, row) for row in _alive(account, session)] or ["<p>You have no subscription now.</p>"]
    parts.append(_card(account, session))
    parts.append(_invoices(account, session))
    if session["return_url"]:
        parts.append(f"<p>{link(session['return_url'], f'Return to {account.name}')}</p>")
    return page("Your subscriptions", parts, error=error, status=402 if error else 200)


def _subscription(account: Account, row: Resource) -> str:
    item = cycle.items_of(row)[0]
    name = account.table("product").get(item["price"]["product"])["name"]
    ending = row["cancel_at"]
    pairs = [
        ("Price", written(item["price"]["unit_amount"] * item["quantity"], row["currency"])),
        ("Status", row["status"].replace("_", " ")),
    ]
    pairs.append(("Ends on", day(ending)) if ending else ("Next payment", day(item["current_period_end"])))
    choice = button("Keep my subscription", "action", "resume") if ending else button("Cancel subscription", "action", "cancel", quiet=True)
    hidden = f'<input type="hidden" name="subscription" value="{escape(row.id)}">'
    return f'<section><h2>{escape(name)}</h2>{rows(pairs)}</section><form method="post">{hidden}{choice}</form>'


def _card(account: Account, session: Resource) -> str:
    found = [method for row in _alive(account, session) if (method := default_method(account, row)) is not None]
    held = found[0] if found else None
    shown = f"<p>{escape(held['type'])} ending in {escape(held[held['type']]['last4'])}</p>" if held is not None else "<p>No card yet.</p>"
    hidden = '<input type="hidden" name="action" value="card">'
    number = field(
        "card_number", "New card number", hint="A test card, such as 4242 4242 4242 4242.", inputmode="numeric", autocomplete="cc-number"
    )
    return f'<section><h2>Payment method</h2>{shown}</section><form method="post">{hidden}{number}{button("Use this card")}</form>'


def _invoices(account: Account, session: Resource) -> str:
    found = account.table("invoice").where("customer", session["customer"])[-INVOICES:][::-1]
    lines = [
        f"<li>{day(row['created'])}: {escape(written(row['total'], row['currency']))}, {escape(row['status'])} "
        f"{link(row['hosted_invoice_url'], row['number']) if row['hosted_invoice_url'] else ''}</li>"
        for row in found
    ]
    return f"<section><h2>Invoices</h2><ul>{''.join(lines)}</ul></section>" if lines else ""


def day(moment: int) -> str:
    """Write a Unix time as a day."""
    return f"{datetime.fromtimestamp(moment, UTC):%d %B %Y}".lstrip("0")
