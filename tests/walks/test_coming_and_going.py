"""Who leaves and comes back, what others gave, and two reasons for one role."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.walks.shop import Shop, open_shop
from tests.walks.stage import open_stage


@pytest.fixture
async def blind_shop(walk_sqlite: str, record: Path | None) -> AsyncIterator[Shop]:
    """A server of which the bot is not told who comes and goes."""
    async with open_stage(walk_sqlite, record=record, members_intent=False) as stage:
        yield await open_shop(stage, "Silver", "Gold")


async def test_whoever_leaves_and_comes_back_gets_the_role_at_once(shop: Shop) -> None:
    ben = shop.fan("ben")
    await shop.buys(ben, await shop.sells())
    ben.leave(shop.server)
    await shop.stage.settled()
    ben.join(shop.server, shop.server.invite())
    await shop.stage.settled()
    assert shop.holds(ben) == {"Gold"}
    assert "on its way" not in (await ben.command(shop.server, "status")).words


async def test_whoever_comes_back_unseen_gets_the_role_by_the_next_look(blind_shop: Shop) -> None:
    ben = blind_shop.fan("ben")
    await blind_shop.buys(ben, await blind_shop.sells())
    assert blind_shop.holds(ben) == {"Gold"}
    ben.leave(blind_shop.server)
    ben.join(blind_shop.server, blind_shop.server.invite())
    await blind_shop.stage.settled()
    assert blind_shop.holds(ben) == set()
    await blind_shop.stage.advance(minutes=10)
    assert blind_shop.holds(ben) == {"Gold"}


async def test_whoever_leaves_unseen_and_comes_back_much_later_gets_the_role(blind_shop: Shop) -> None:
    ben = blind_shop.fan("ben")
    await blind_shop.buys(ben, await blind_shop.sells())
    ben.leave(blind_shop.server)
    await blind_shop.stage.advance(days=3)
    ben.join(blind_shop.server, blind_shop.server.invite())
    await blind_shop.stage.advance(minutes=10)
    assert blind_shop.holds(ben) == {"Gold"}


async def test_whoever_comes_back_after_the_end_gets_nothing(sqlite_shop: Shop) -> None:
    ben = sqlite_shop.fan("ben")
    await sqlite_shop.buys(ben, await sqlite_shop.sells(interval="30 days"))
    ben.leave(sqlite_shop.server)
    await sqlite_shop.stage.advance(days=31)
    ben.join(sqlite_shop.server, sqlite_shop.server.invite())
    await sqlite_shop.stage.advance(days=1)
    assert sqlite_shop.holds(ben) == set()


async def test_a_paid_role_taken_by_hand_is_given_back(sqlite_shop: Shop) -> None:
    ben = sqlite_shop.fan("ben")
    await sqlite_shop.buys(ben, await sqlite_shop.sells())
    sqlite_shop.server.take_role(ben, sqlite_shop.role())
    await sqlite_shop.stage.advance(hours=7)
    assert sqlite_shop.holds(ben) == {"Gold"}


async def test_whoever_is_banned_stays_out_and_is_knocked_for_once_more_at_most(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    ben = sqlite_shop.fan("ben")
    checkout = await sqlite_shop.checkout(ben, link)
    ben.join(sqlite_shop.server, sqlite_shop.server.invite())
    sqlite_shop.server.ban(ben)
    await sqlite_shop.stage.town.cashiers.pay(checkout)
    await sqlite_shop.stage.settled()
    assert not sqlite_shop.server.has(ben)
    sqlite_shop.stage.town.discord.rest.calls.clear()
    await sqlite_shop.stage.advance(days=2)
    knocks = [call for call in sqlite_shop.stage.town.discord.rest.calls if call[0] == "PUT" and str(ben.id) in call[1]]
    assert len(knocks) <= 1  # ten minutes after a payment another way in is looked for, once
    assert not sqlite_shop.server.has(ben)


async def test_ending_one_of_two_plans_keeps_the_role_the_other_still_pays_for(shop: Shop) -> None:
    ben = shop.fan("ben")
    await shop.buys(ben, await shop.sells("Gold"))
    await shop.plan("Patron", price="20 USD")
    await shop.buys(ben, await shop.link("Patron"))
    gold, patron = shop.stage.subscriptions()
    given = shop.server.role_moment(ben, shop.role())
    await shop.stage.town.cashiers.cancel_subscription(await shop.portal(ben), patron.id)
    await shop.stage.advance(days=31)
    assert (gold["status"], patron["status"]) == ("active", "canceled")
    assert shop.holds(ben) == {"Gold"}
    assert shop.server.role_moment(ben, shop.role()) == given
    await shop.stage.town.cashiers.cancel_subscription(await shop.portal(ben), gold.id)
    await shop.stage.advance(days=31)
    assert shop.holds(ben) == set()


async def test_a_role_given_by_hand_before_stays_after_the_end(shop: Shop) -> None:
    ben = shop.fan("ben", inside=True)
    shop.server.give_role(ben, shop.role())
    await shop.buys(ben, await shop.sells(interval="30 days"))
    await shop.stage.advance(days=31)
    assert shop.holds(ben) == {"Gold"}


async def test_other_roles_are_never_touched(sqlite_shop: Shop) -> None:
    ben = sqlite_shop.fan("ben", inside=True)
    sqlite_shop.server.give_role(ben, sqlite_shop.role("Silver"))
    await sqlite_shop.buys(ben, await sqlite_shop.sells(interval="30 days"))
    assert sqlite_shop.holds(ben) == {"Silver", "Gold"}
    await sqlite_shop.stage.advance(days=31)
    assert sqlite_shop.holds(ben) == {"Silver"}


async def test_a_role_added_to_a_plan_reaches_everyone_who_has_it_and_leaves_with_its_removal(shop: Shop) -> None:
    link = await shop.sells()
    fans = [shop.fan(name) for name in ("ben", "eve")]
    for fan in fans:
        await shop.buys(fan, link)
    await shop.command("doorman plan add", plan="Gold", role=shop.role("Silver"))
    assert [shop.holds(fan) for fan in fans] == [{"Gold", "Silver"}] * 2
    await shop.command("doorman plan remove", plan="Gold", role=shop.role("Gold"))
    assert [shop.holds(fan) for fan in fans] == [{"Silver"}] * 2


async def test_one_person_in_two_communities_is_two_members(sqlite_shop: Shop) -> None:
    other = await open_shop(sqlite_shop.stage, "Gold", name="Zoe")
    ben = sqlite_shop.fan("ben")
    await sqlite_shop.buys(ben, await sqlite_shop.sells())
    assert other.holds(ben) == set()
    assert not other.server.has(ben)
    await other.buys(ben, await other.sells(interval="30 days"))
    await sqlite_shop.stage.advance(days=32)
    assert sqlite_shop.holds(ben) == {"Gold"}
    assert other.holds(ben) == set()
