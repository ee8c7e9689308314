"""Payment intents, charges, refunds, and what the vendor keeps."""

from typing import Any

import pytest
import stripe

from sandbox.stripe import Refused
from tests.sandbox.stripe.shop import Shop


async def paid_intent(shop: Shop, amount: int = 1000) -> stripe.PaymentIntent:
    return await shop.api.v1.payment_intents.create_async(
        {
            "amount": amount,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "return_url": "http://shop.invalid/",
            "expand": ["latest_charge.balance_transaction"],
        }
    )


async def test_a_full_refund_says_so_on_the_charge(shop: Shop) -> None:
    intent = await paid_intent(shop)
    await shop.listen("refund.created", "charge.refunded")
    await shop.people.refund(intent.id)
    charge: Any = intent.latest_charge
    after = await shop.api.v1.charges.retrieve_async(charge.id, {"expand": ["refunds.data.balance_transaction"]})
    assert (after.refunded, after.amount_refunded) == (True, 1000)
    assert after.refunds
    refund: Any = after.refunds.data[0]
    assert (refund.balance_transaction.amount, refund.balance_transaction.fee) == (-1000, 0)
    await shop.emulator.webhooks.settled()
    assert sorted(shop.mailbox.types()) == ["charge.refunded", "refund.created"]


async def test_partial_refunds_add_up_and_never_exceed_the_charge(shop: Shop) -> None:
    intent = await paid_intent(shop)
    await shop.people.refund(intent.id, 400)
    charge = (await shop.api.v1.charges.list_async({"payment_intent": intent.id})).data[0]
    assert (charge.refunded, charge.amount_refunded) == (False, 400)
    with pytest.raises(Refused, match="greater than unrefunded amount"):
        await shop.people.refund(charge.id, 601)
    await shop.people.refund(charge.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.api.v1.refunds.create_async({"charge": charge.id})
    assert refused.value.code == "charge_already_refunded"
    assert len((await shop.api.v1.refunds.list_async({"payment_intent": intent.id})).data) == 2


async def test_the_fee_is_two_point_nine_percent_and_thirty(shop: Shop) -> None:
    intent = await paid_intent(shop, 10_000)
    charge: Any = intent.latest_charge
    assert (charge.balance_transaction.fee, charge.balance_transaction.net) == (320, 9_680)


async def test_a_declined_card_is_a_card_error_that_carries_the_intent(shop: Shop) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await shop.api.v1.payment_intents.create_async(
            {"amount": 500, "currency": "usd", "payment_method": "pm_card_chargeDeclinedInsufficientFunds", "confirm": True}
        )
    error: Any = declined.value.error
    assert (declined.value.http_status, error.code, error.decline_code) == (402, "card_declined", "insufficient_funds")
    assert error.payment_intent.status == "requires_payment_method"


async def test_an_off_session_payment_that_needs_the_bank_is_refused(shop: Shop) -> None:
    customer = await shop.api.v1.customers.create_async({"payment_method": "pm_card_authenticationRequired"})
    method = (await shop.api.v1.customers.payment_methods.list_async(customer.id)).data[0]
    with pytest.raises(stripe.CardError) as declined:
        await shop.api.v1.payment_intents.create_async(
            {"amount": 500, "currency": "usd", "customer": customer.id, "payment_method": method.id, "confirm": True, "off_session": True}
        )
    assert declined.value.code == "authentication_required"


async def test_an_intent_that_needs_the_bank_is_finished_on_its_page(shop: Shop) -> None:
    intent = await shop.api.v1.payment_intents.create_async(
        {
            "amount": 500,
            "currency": "usd",
            "payment_method": "pm_card_threeDSecure2Required",
            "confirm": True,
            "return_url": "http://shop.invalid/back",
        }
    )
    assert intent.status == "requires_action"
    assert intent.next_action
    assert intent.next_action.redirect_to_url
    place = await shop.people._post(str(intent.next_action.redirect_to_url.url), {"outcome": "complete"})
    assert place == "http://shop.invalid/back"
    assert (await shop.api.v1.payment_intents.retrieve_async(intent.id)).status == "succeeded"


async def test_an_intent_can_be_canceled_until_it_is_paid(shop: Shop) -> None:
    intent = await shop.api.v1.payment_intents.create_async({"amount": 500, "currency": "usd"})
    assert (await shop.api.v1.payment_intents.cancel_async(intent.id)).status == "canceled"
    paid = await paid_intent(shop)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.api.v1.payment_intents.cancel_async(paid.id)
    assert refused.value.code == "payment_intent_unexpected_state"


async def test_the_payment_of_an_invoice_is_found_from_its_intent(shop: Shop) -> None:
    subscription = await shop.subscribe()
    invoice = str(subscription.latest_invoice)
    of_invoice = (await shop.api.v1.invoice_payments.list_async({"invoice": invoice})).data[0]
    intent = str(of_invoice.payment.payment_intent)
    found = await shop.api.v1.invoice_payments.list_async({"payment": {"type": "payment_intent", "payment_intent": intent}})
    assert [(row.id, row.invoice, row.status) for row in found.data] == [(of_invoice.id, invoice, "paid")]


async def test_an_invoice_can_be_written_off_or_paid_by_other_means(shop: Shop) -> None:
    shop.emulator.model.policy.after_retries = "past_due"
    subscription = await shop.subscribe("4000000000000341")
    await shop.pass_time(days=31)
    invoice = str((await shop.subscription(subscription.id)).latest_invoice)
    with pytest.raises(stripe.CardError):
        await shop.api.v1.invoices.pay_async(invoice)
    assert (await shop.api.v1.invoices.mark_uncollectible_async(invoice)).status == "uncollectible"
    paid = await shop.api.v1.invoices.pay_async(invoice, {"paid_out_of_band": True})
    assert paid.status == "paid"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        await shop.api.v1.invoices.pay_async(invoice)
    assert (await shop.subscription(subscription.id)).status == "active"
