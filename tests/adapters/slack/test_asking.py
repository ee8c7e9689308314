from datetime import timedelta

from core.commands import CommandReply, ReplyButton
from sandbox.faults import Fault, FaultKind
from tests.adapters.slack.house import House


async def test_who_may_manage_is_what_slack_says_of_them(house: House) -> None:
    by_owner, _ = await house.say(house.ann, "/doorman plan list")
    by_member, _ = await house.say(house.bob, "/doorman plan list")

    assert (by_owner.can_manage, by_member.can_manage) == (True, False)
    assert (by_owner.user_name, by_owner.space_name) == ("ann", "Club")
    assert (by_owner.realm, by_owner.space_external_id) == (house.club.id, house.club.id)


async def test_rights_that_cannot_be_told_let_nobody_manage(house: House) -> None:
    house.emulator.wire.faults.add(Fault("slack", FaultKind.SERVER_ERROR, route="users.info", times=None))

    reply = await house.ann.command(house.club, "/doorman plan list")
    assert "Please try again in a minute" in reply.words
    assert not house.inbox.requests

    request, _ = await house.say(house.ann, "/doorman status")
    assert not request.can_manage


async def test_a_channel_that_is_only_named_is_looked_up(house: House) -> None:
    gold = house.ann.create_channel(house.club, "gold", private=True)
    house.ann.add_app(gold)
    house.emulator.model.app.escaped = frozenset()

    request, _ = await house.say(house.ann, "/doorman setup #gold")
    assert request.options == {"notices": gold.id}
    assert request.labels == {gold.id: "gold"}

    reply = await house.ann.command(house.club, "/doorman setup #silver")
    assert "There is no “silver” that I can see" in reply.words


async def test_a_private_channel_comes_without_its_name_and_gets_it(house: House) -> None:
    gold = house.ann.create_channel(house.club, "gold", private=True)
    house.ann.add_app(gold)

    request, _ = await house.say(house.ann, f"/doorman setup <#{gold.id}|>")

    assert (request.options, request.labels) == ({"notices": gold.id}, {gold.id: "gold"})


async def test_what_is_typed_cannot_call_anybody_in_the_answer_to_it(house: House) -> None:
    reply = await house.bob.command(house.club, "/doorman <!channel> &amp; <@U1>")

    assert "<!channel>" not in reply.text
    assert "<@" not in reply.text


async def test_a_public_answer_is_seen_by_the_channel_and_a_private_one_is_not(house: House) -> None:
    await house.say(house.bob, "/doorman tip 5", "Thank you")
    assert "Thank you" in house.ann.posts(house.club.general)[-1].words

    await house.say(house.bob, "/doorman status", "Yours alone")
    assert "Yours alone" not in house.ann.posts(house.club.general)[-1].words
    assert "Yours alone" in house.bob.whispers(house.club)[-1].words


async def test_an_answer_that_can_no_longer_be_given_there_comes_another_way(house: House) -> None:
    request, _ = await house.say(house.bob, "/doorman status", "1")
    for number in range(2, 7):
        await house.adapter.reply(request.handle, CommandReply(f"Number {number}", ()))
    assert "Number 5" in house.bob.whispers(house.club)[-1].words or "Number 6" in house.bob.whispers(house.club)[-1].words
    seen = [*house.bob.whispers(house.club), *house.bob.dms(house.club)]
    assert all(any(f"Number {number}" in one.words for one in seen) for number in range(2, 7))

    house.clock.advance(timedelta(minutes=31))
    await house.adapter.reply(request.handle, CommandReply("Late", ()))
    assert "Late" in house.bob.dms(house.club)[-1].words


async def test_a_button_that_opens_an_address_is_nothing_to_us(house: House) -> None:
    async def told(action: str) -> None:
        request, _ = await house.say(house.ann, "/doorman plan list")
        buttons = (ReplyButton("Open", "https://example.com"), ReplyButton("Run", action=action))
        await house.adapter.reply(request.handle, CommandReply("Plans", (), buttons))

    await told("plan archive:p-1")
    before = len(house.inbox.requests)
    seen = house.ann.whispers(house.club)[-1]
    request, _ = await house.answer(lambda: house.ann.click(seen, "Run"), before, "Archived")
    assert (request.words, request.options) == (("plan", "archive"), {"argument": "p-1"})
    assert request.space_external_id == house.club.id

    await told("gone command:1")
    before = len(house.inbox.requests)
    reply = await house.ann.click(house.ann.whispers(house.club)[-1], "Run")
    assert "I don't know that button any more" in reply.words
    assert len(house.inbox.requests) == before
