"""Stripe's long lists, page by page: all subscriptions, and what happened since."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial

import stripe
from stripe.params import EventListParams, SubscriptionListParams

from billing.stripe.caller import Caller
from billing.stripe.snapshots import event_snapshot, subscription_snapshot
from core.payments import EventSnapshot, SubscriptionSnapshot

PAGE = 100
MOST_TYPES = 20
"""How many event types one list may be asked for."""


async def every_subscription(call: Caller) -> AsyncIterator[SubscriptionSnapshot]:
    """Yield all, the ended ones too, which the list leaves out unless told."""

    async def fetch(after: str, options: stripe.RequestOptions) -> stripe.ListObject[stripe.Subscription]:
        params: SubscriptionListParams = {"status": "all", "limit": PAGE}
        if after:
            params["starting_after"] = after
        return await call.v1.subscriptions.list_async(params, options)

    async for subscription in call.pages(fetch):
        yield subscription_snapshot(subscription)


async def events_since(call: Caller, since: datetime, types: Sequence[str], *, undelivered: bool) -> AsyncIterator[EventSnapshot]:
    """Yield oldest first. Stripe lists newest first and pages only from there, so all are read before the first is yielded."""
    found: list[EventSnapshot] = []
    for start in range(0, max(len(types), 1), MOST_TYPES):
        params: EventListParams = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
        if types:
            params["types"] = list(types[start : start + MOST_TYPES])
        if undelivered:
            params["delivery_success"] = False
        newest_first = [event_snapshot(event) async for event in call.pages(partial(_events, call, params))]
        found += reversed(newest_first)
    for event in sorted(found, key=lambda event: event.created_at):  # stable: Stripe's order stands within a second
        yield event


async def _events(call: Caller, params: EventListParams, after: str, options: stripe.RequestOptions) -> stripe.ListObject[stripe.Event]:
    page = params.copy()
    if after:
        page["starting_after"] = after
    return await call.v1.events.list_async(page, options)
