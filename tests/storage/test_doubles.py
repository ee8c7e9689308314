"""Which of a member's subscriptions to a plan are one too many: each that renews beside an older one that renews."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlmodel import SQLModel

from core.ids import CommunityId, MemberId, PlanId
from storage import doubles
from storage.database import Database
from storage.orders import OrderRow, OrderStatus
from storage.subscriptions import SubscriptionRow
from tests.storage.rows import AT, changed, everything, store

LATER = timedelta(seconds=1)
STATES: tuple[dict[str, Any], ...] = ({}, {"status": "past_due"}, {"status": "canceled"}, {"cancel_at": AT})
RENEWS = (True, True, False, False)


async def sold(database: Database, *states: dict[str, Any]) -> None:
    """Store subscriptions of one member to one plan, each a second after the one before, with the orders they were made by."""
    rows = everything("a")
    order = next(row for row in rows if isinstance(row, OrderRow))
    subscription = next(row for row in rows if isinstance(row, SubscriptionRow))
    made: list[SQLModel] = []
    for number, state in enumerate(states):
        name, moment = f"sub_{number}", AT + number * LATER
        ids: tuple[dict[str, Any], dict[str, Any]] = ({"id": f"order-{name}"}, {"id": name}) if number else ({}, {})
        made += [
            changed(order, checkout_session_id=f"cs_{name}", stripe_subscription_id=name, status=OrderStatus.PAID, **ids[0]),
            changed(subscription, stripe_subscription_id=name, **{"started_at": moment, **ids[1], **state}),
        ]
    await store(database, [made[0] if row is order else made[1] if row is subscription else row for row in rows] + made[2:])


async def found(database: Database) -> list[str]:
    community = CommunityId("a")
    async with database.reading() as session:
        listed = await doubles.listing(session, community, 10)
        assert await doubles.of_member(session, community, MemberId("a-member"), PlanId("a-plan"), 10) == listed
        assert await doubles.of_member(session, community, MemberId("a-member"), PlanId("another"), 10) == []
        assert await doubles.listing(session, CommunityId("another"), 10) == []
        for one in listed:
            assert await doubles.find(session, community, one.order.id) == one
            assert one.order.stripe_subscription_id == one.row.stripe_subscription_id
            assert (str(one.price.money), one.account.id) == ("9.99 USD", "a-account")
    return [one.row.stripe_subscription_id for one in listed]


@pytest.mark.parametrize(("first", "second"), list(product(range(4), repeat=2)))
async def test_the_later_of_two_that_renew_is_a_double(database: Database, first: int, second: int) -> None:
    await sold(database, STATES[first], STATES[second])
    assert await found(database) == (["sub_1"] if RENEWS[first] and RENEWS[second] else [])


async def test_of_several_all_but_the_first_that_renews_are_doubles(database: Database) -> None:
    await sold(database, {"status": "canceled"}, {}, {"cancel_at": AT}, {}, {})
    assert await found(database) == ["sub_3", "sub_4"]


async def test_of_two_that_began_at_one_moment_one_is_the_double(database: Database) -> None:
    await sold(database, {}, {"started_at": AT})
    assert await found(database) == ["sub_1"]
