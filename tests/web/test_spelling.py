"""Addresses that no link of ours is spelled like, over real use cases on both databases."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from billing.gateways import Gateways
from billing.stripe.accounts import GatewayPool
from billing.tip import Tips
from billing.webhook import StripeWebhooks
from core.ids import Ids
from membership.invite import Invites
from membership.status import Statuses
from sandbox.clock import VirtualClock
from sandbox.mark import MARK
from storage.database import Database
from storage.inbox import GroupCommit
from tests.web.site import Site, Visitor


@pytest.fixture
async def stranger(database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Visitor]:
    """Somebody at a site where every lookup reaches the database."""
    site = Site(database, clock, ids)
    async with GatewayPool(clock) as pool, GroupCommit(database) as group:
        gateways = Gateways(db=database, pool=pool, environment_keys=[f"sk_test_{MARK}"])
        site.real = lambda services: replace(
            services,
            invites=Invites(db=database, clock=clock, ids=ids, public_url=site.base),
            statuses=Statuses(db=database, clock=clock),
            tips=Tips(db=database, clock=clock, ids=ids, gateways=gateways, public_url=site.base),
            webhooks=StripeWebhooks(
                db=database,
                clock=clock,
                ids=ids,
                group=group,
                environment_secrets=[f"whsec_{MARK}"],
                unix_now=time.time,  # noqa: TID251 - a signature's age is real time
            ),
        )
        async with site.open(), site.visitor() as visitor:
            yield visitor


@pytest.mark.parametrize("name", ["%00", "a%00b", "%C3%A9", "%0A", "a" * 201])
@pytest.mark.parametrize(
    ("method", "route"),
    [("GET", "/j/{}"), ("GET", "/welcome/{}"), ("GET", "/tip/{}"), ("GET", "/oauth/{}/callback"), ("POST", "/webhooks/stripe/{}")],
)
async def test_an_address_no_link_is_spelled_like_leads_nowhere(stranger: Visitor, method: str, route: str, name: str) -> None:
    page = await stranger.request(method, route.format(name))
    assert page.status == 404
    assert "There is nothing here" in page.text
