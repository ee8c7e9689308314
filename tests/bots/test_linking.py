"""Linking accounts, claiming what was paid for as a guest, and the creator's own link, by command."""

import re
from datetime import timedelta

import pytest

from core.errors import Refusal
from core.ids import CauseId, CommunityId, OrderId, PlatformUserId, SpaceId
from core.people import GUEST, Identity
from core.platform import EventKind
from membership.standing import WayIn
from sandbox.memory.world import NAME
from storage import spaces
from storage.orders import OrderRow
from storage.spaces import SpaceRow
from storage.states import hashed
from tests.bots.bench import PUBLIC_URL, Bench, text

SOMEBODY = Identity(GUEST, "", PlatformUserId("a browser"), "Guest")
DOOR = "https://door.example/shared/abc"
CAUSE = CauseId("a test")


def code_in(said: str) -> str:
    found = re.search(r"code:([\w-]{43})", said)
    assert found, said
    return found[1]


async def home_of(bench: Bench) -> CommunityId:
    return (await bench.cases.desk.communities.of_space(bench.space)).community_id


async def row_of(bench: Bench) -> SpaceRow:
    async with bench.base.db.reading() as session:
        row = await spaces.find(session, bench.space)
    assert row is not None
    return row


async def newcomer(bench: Bench, name: str = "Gil") -> PlatformUserId:
    """Return somebody who has just come into the space."""
    who = bench.world.person(name)
    await bench.adapter.join(bench.space, who)
    await bench.dispatcher.settled()
    return who


def held(bench: Bench, who: PlatformUserId) -> bool:
    return bench.role.external_id in bench.world.places[bench.space.external_id].members[who]


async def guest_order(bench: Bench) -> OrderId:
    """Let a guest buy what is sold, and return their order."""
    await bench.plan()
    link = (await bench.ask(bench.creator, "doorman invite", plan="Gold")).buttons[0].url
    started = await bench.cases.desk.checkouts.start(link.rpartition("/")[2], SOMEBODY, cause=CAUSE)
    async with bench.stripe.people() as people:
        await people.pay(started.url)
    async with bench.base.db.reading() as session:
        checkout = (await session.get_one(OrderRow, started.order_id)).checkout_session_id or ""
    await bench.deliver("checkout.session.completed", checkout)
    return started.order_id


# Another account


async def test_a_stranger_is_told_how_to_become_a_member(bench: Bench) -> None:
    assert "You are not a member here yet. /join gets you your own link." in text(await bench.ask(bench.fan, "link"))


async def test_a_member_gets_a_code_and_a_page_for_it(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    reply = await bench.ask(bench.fan, "link")
    code = code_in(text(reply))
    assert [(button.label, button.url) for button in reply.buttons] == [("Use another account", f"{PUBLIC_URL}/link/{code}")]
    assert "Give it to nobody" in text(reply)


async def test_a_code_given_with_another_account_changes_to_it(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    other = await newcomer(bench)
    code = code_in(text(await bench.ask(bench.fan, "link")))
    said = text(await bench.ask(other, "claim", code=code))
    assert said.startswith("Your account is being changed | @Fay is taken out first")
    await bench.dispatcher.settled()
    assert (held(bench, bench.fan), held(bench, other)) == (False, True)


async def test_while_the_old_account_cannot_be_taken_out_status_says_what_is_waited_for(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    other = await newcomer(bench)
    bench.world.places[bench.space.external_id].things[bench.role.external_id].reachable = False
    await bench.ask(other, "claim", code=code_in(text(await bench.ask(bench.fan, "link"))))
    await bench.dispatcher.settled()
    assert (held(bench, bench.fan), held(bench, other)) == (True, False)
    assert "Your accounts: @Gil on Memory, waits until @Fay is taken out" in text(await bench.ask(other, "status"))


async def test_a_second_change_too_soon_is_refused_until_the_creator_allows_it(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    gil, hal = await newcomer(bench, "Gil"), await newcomer(bench, "Hal")
    await bench.ask(gil, "claim", code=code_in(text(await bench.ask(bench.fan, "link"))))
    await bench.dispatcher.settled()
    code = code_in(text(await bench.ask(gil, "link")))
    refused = text(await bench.ask(hal, "claim", code=code))
    assert "You can again on 2 December 2026; whoever runs Cleo's place can allow it sooner with /doorman account." in refused
    said = text(await bench.ask(bench.creator, "doorman account", who=gil))
    assert "@Gil may change to another account once within 7 days. Have them type /link" in said
    await bench.ask(hal, "claim", code=code)
    await bench.dispatcher.settled()
    assert (held(bench, gil), held(bench, hal)) == (False, True)


async def test_the_creator_is_told_when_there_is_nobody_to_allow_it_to(bench: Bench) -> None:
    assert "@Fay has no membership here, so there is nothing to change. Pick the one they pay with." in text(
        await bench.ask(bench.creator, "doorman account", who=bench.fan)
    )


async def test_whom_to_allow_it_to_has_to_be_said(bench: Bench) -> None:
    assert "Say whom it is for." in text(await bench.ask(bench.creator, "doorman account"))


@pytest.mark.parametrize("code", ["nonsense", "`x`", "y" * 90])
async def test_a_code_nobody_made_is_refused_kindly(bench: Bench, code: str) -> None:
    assert "/link gives you a new one" in text(await bench.ask(bench.fan, "claim", code=code))


async def test_a_community_in_two_places_offers_the_other_one(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    second = SpaceRow(
        id=SpaceId("second"), community_id=await home_of(bench), platform=NAME, realm="W2", external_id="W2", name="The second place",
        installer=bench.creator, created_at=bench.clock.now(),
    )  # fmt: skip
    async with bench.base.db.transaction() as session:
        session.add(second)
    status = await bench.ask(bench.fan, "status")
    assert "[Also join on Memory]" in text(status)
    page = next(button.url for button in status.buttons if button.label == "Also join on Memory")
    fay = Identity(NAME, "W2", PlatformUserId("fay there"), "fay there")
    await bench.cases.desk.linking.redeem_hashed(hashed(page.rpartition("/")[2]), fay, cause=CAUSE)
    said = text(await bench.ask(bench.fan, "status"))
    assert "@Fay on Memory" in said
    assert "@fay there on Memory" in said
    assert "Also join" not in said


# Guests


async def test_a_guest_pays_like_anybody_and_gets_in_with_the_code_of_their_order(bench: Bench) -> None:
    order = await guest_order(bench)
    await bench.ask(bench.creator, "doorman setup", invite_link=DOOR)
    welcome = await bench.cases.desk.statuses.of_order(order)
    assert (welcome.paid, welcome.inside, welcome.state, welcome.payer) == (True, False, "paid", SOMEBODY)
    assert welcome.ways == (WayIn(NAME, "Cleo's place", DOOR),)
    made = await bench.cases.desk.linking.claim(order, SOMEBODY, cause=CAUSE)
    gil = await newcomer(bench)
    assert "What you paid for is on its way" in text(await bench.ask(gil, "claim", code=f"`{made.code}`"))
    await bench.dispatcher.settled()
    assert held(bench, gil)
    after = await bench.cases.desk.statuses.of_order(order)
    assert (after.inside, after.ways) == (True, ())
    said = text(await bench.ask(gil, "status"))
    assert "Gold: Active." in said
    assert "Your accounts" not in said, "the guest they were is nobody else's business"
    assert "[Card, invoices, cancel]" in said


PAYER = "fan@example.com"
"""What is typed at the checkout."""


async def arrives(bench: Bench, name: str, email: str) -> PlatformUserId:
    """Let somebody come in whose e-mail address the platform has verified."""
    who = bench.world.person(name)
    bench.world.people[who].email = email
    await bench.adapter.join(bench.space, who)
    await bench.dispatcher.settled()
    return who


def asked(bench: Bench, who: PlatformUserId) -> list[str]:
    return [letter for letter in bench.world.people[who].inbox if "is this yours?" in letter]


async def test_whoever_comes_in_with_a_payer_s_verified_address_is_asked_and_gets_in_by_saying_yes(bench: Bench) -> None:
    order = await guest_order(bench)
    own = await bench.cases.desk.linking.claim(order, SOMEBODY, cause=CAUSE)
    gil = await arrives(bench, "Gil", PAYER)
    (question,) = asked(bench, gil)
    assert "Somebody who gave your e-mail address paid for Gold before joining." in question
    assert not held(bench, gil), "the same address opens nothing"
    assert (await bench.cases.desk.linking.look(own.code)).community_name == "Cleo's place", "the payer's own code stays good"

    assert "What you paid for is on its way" in text(await bench.ask(gil, "claim", code=code_in(question)))
    await bench.dispatcher.settled()
    assert held(bench, gil)


async def test_nobody_is_asked_without_an_address_the_platform_has_verified_or_with_another_one(bench: Bench) -> None:
    await guest_order(bench)
    for name, email in (("Gil", ""), ("Hal", "hal@example.com"), ("Ida", "xfan@example.com")):
        assert asked(bench, await arrives(bench, name, email)) == []


async def test_nobody_is_asked_for_what_somebody_took_up_already_nor_is_any_vendor(bench: Bench) -> None:
    order = await guest_order(bench)
    made = await bench.cases.desk.linking.claim(order, SOMEBODY, cause=CAUSE)
    await bench.ask(bench.fan, "claim", code=made.code)
    await bench.dispatcher.settled()
    assert held(bench, bench.fan)
    assert asked(bench, await arrives(bench, "Gil", PAYER)) == []
    assert "verified_email" not in {call.verb for call in bench.adapter.calls}


async def test_whoever_has_a_membership_of_their_own_is_not_asked(bench: Bench) -> None:
    await guest_order(bench)
    await bench.buy(bench.fan, "Fay")
    bench.world.people[bench.fan].email = PAYER
    await bench.adapter.leave(bench.space, bench.fan)
    await bench.adapter.join(bench.space, bench.fan)
    await bench.dispatcher.settled()
    assert asked(bench, bench.fan) == []


async def test_nobody_gets_a_code_for_somebody_else_s_order(bench: Bench) -> None:
    order = await guest_order(bench)
    for who in (Identity(GUEST, "", PlatformUserId("another browser"), "Guest"), Identity(NAME, "", bench.fan, "Fay")):
        assert await _refused_claim(bench, order, who) == "order_unknown"
    assert await _refused_claim(bench, OrderId("nothing"), SOMEBODY) == "order_unknown"


async def _refused_claim(bench: Bench, order: OrderId, who: Identity) -> str:
    with pytest.raises(Refusal) as refusal:
        await bench.cases.desk.linking.claim(order, who, cause=CAUSE)
    return refusal.value.code


# The creator's own link


async def test_a_creator_gives_their_own_link_and_takes_it_away(bench: Bench) -> None:
    await bench.ask(bench.creator, "doorman setup", invite_link=DOOR)
    row = await row_of(bench)
    assert (row.invite_link, row.invite_link_set_at, row.invite_link_uses) == (DOOR, bench.clock.now(), 0)
    await bench.ask(bench.creator, "doorman setup", invite_link="none")
    assert (await row_of(bench)).invite_link == ""


@pytest.mark.parametrize(
    "link",
    ["http://door.example/x", "door.example", "https://", "https://door", "https://a@door.example", "https://door.example:8/x",
     "https://door.example/<b>", "https://door.example/a b", "https://[door", "https://door.example/é", "javascript:alert(1)",
     "https://door.example/" + "x" * 500],
)  # fmt: skip
async def test_what_is_no_link_for_people_is_refused_and_nothing_changes(bench: Bench, link: str) -> None:
    assert "it begins with https://" in text(await bench.ask(bench.creator, "doorman setup", invite_link=link, currency="EUR"))
    assert (await row_of(bench)).invite_link == ""
    assert "Currency: USD" in text(await bench.ask(bench.creator, "doorman setup"))


async def test_whoever_comes_in_is_counted_while_there_is_a_link(bench: Bench) -> None:
    await newcomer(bench)
    await bench.ask(bench.creator, "doorman setup", invite_link=DOOR)
    bench.clock.advance(timedelta(seconds=1))
    for name in ("Hal", "Ida"):
        await newcomer(bench, name)
    await bench.adapter.happens(EventKind.MEMBER_LEFT, bench.space, bench.fan)
    await bench.dispatcher.settled()
    assert (await row_of(bench)).invite_link_uses == 2
