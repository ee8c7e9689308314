"""From a link to the role."""

from sandbox.stripe.people import DECLINED_CARD, Refused
from tests.walks.shop import Shop, words_to
import pytest


async def test_a_stranger_who_pays_is_inside_with_the_role(shop: Shop) -> None:
    link = await shop.sells()
    ben = shop.fan("ben")
    welcome = await shop.buys(ben, link)
    assert shop.server.has(ben)
    assert shop.holds(ben) == {"Gold"}
    assert "You are in" in welcome
    assert "You're in" in words_to(ben)
    assert len(shop.stage.charges()) == 1
    assert [one["status"] for one in shop.stage.subscriptions()] == ["active"]
