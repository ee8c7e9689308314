"""Deleting a customer, which cancels all they subscribed to: docs.stripe.com/api/customers/delete."""

from sandbox.stripe import customers, subscription_state
from sandbox.stripe.call import Call, Route, delete
from sandbox.stripe.resource import Json


def _delete(call: Call) -> Json:
    account, customer = call.account, customers.alive(call.account, call.id, "id")
    for subscription in account.table("subscription").where("customer", customer.id):
        if subscription["status"] not in subscription_state.OVER:
            subscription_state.end(account, subscription, "cancellation_requested")
    customer.hidden["deleted"] = True
    account.emit("customer.deleted", customer)
    return {"id": customer.id, "object": "customer", "deleted": True}


ROUTES: list[Route] = [delete("/v1/customers/*", _delete)]
