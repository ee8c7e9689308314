import asyncio
import json
from datetime import timedelta

import pytest

from adapters.slack.modals import form
from adapters.slack.requests import Asking
from bots.commands import COMMANDS
from core.commands import CommandKind, CommandReply, CommandSpec, ReplyButton
from core.ids import PlatformName, PlatformUserId
from core.platform import Resource, ResourceKind, Space
from sandbox.clock import DEFAULT_START
from sandbox.slack.person import NoAnswerError
from sandbox.slack.views import examine
from tests.adapters.slack.house import House


async def test_a_command_that_needs_something_asks_for_it(house: House) -> None:
    gold = house.ann.create_channel(house.club, "gold")
    reply = await house.ann.command(house.club, "/doorman plan create")
    assert reply.modal is not None
    assert reply.modal.title == "Plan create"
    assert not house.inbox.requests

    sent = await house.ann.submit(reply, {"Name": "@everyone <Gold> & co", "Role": gold.id, "Days": "7"})

    assert sent.closed
    (request,) = house.inbox.requests
    assert request.words == ("doorman", "plan", "create")
    assert request.options == {"name": "@everyone <Gold> & co", "role": gold.id, "days": 7}
    assert request.labels == {gold.id: "gold"}
    assert request.can_manage
    await house.adapter.reply(request.handle, CommandReply("Made", ()))
    assert "Made" in house.ann.whispers(house.club)[-1].words


async def test_what_is_wrong_in_a_form_is_said_beside_the_field(house: House) -> None:
    reply = await house.bob.command(house.club, "/doorman paint")
    sent = await house.bob.submit(reply, {"Days": "10"})
    assert sent.errors == {"colour": "This is needed.", "days": "days is at most 9."}
    assert not sent.closed
    assert not house.inbox.requests

    assert (await house.bob.submit(reply, {"Colour": "Blue", "Days": "9"})).closed
    assert (await house.inbox.request()).options == {"colour": "Blue", "days": 9}


async def test_a_form_sent_twice_is_one_command(house: House) -> None:
    reply = await house.bob.command(house.club, "/doorman paint")
    await house.bob.submit(reply, {"Colour": "Red"})
    assert reply.modal is not None
    reply.modal.view.closed = False
    await house.bob.submit(reply, {"Colour": "Red"})

    assert len(house.inbox.requests) == 1


async def test_a_form_that_cannot_be_stored_stays_open(house: House) -> None:
    reply = await house.bob.command(house.club, "/doorman paint")
    house.inbox.failures = 1
    with pytest.raises(NoAnswerError):
        await house.bob.submit(reply, {"Colour": "Red"})
    assert not house.inbox.requests

    assert (await house.bob.submit(reply, {"Colour": "Red"})).closed
    assert len(house.inbox.requests) == 1


async def test_who_may_not_use_a_command_gets_no_form_for_it(house: House) -> None:
    request, _ = await house.say(house.bob, "/doorman secret", "No")

    assert (request.words, request.options, request.can_manage) == (("secret",), {}, False)
    assert house.emulator.rest.count("views.open") == 0


async def test_a_form_that_comes_too_late_is_replaced_by_how_the_command_is_written(house: House) -> None:
    house.emulator.refuse("views.open", "expired_trigger_id")

    reply = await house.bob.command(house.club, "/doorman paint")

    assert "/doorman paint colour:… [days:…]" in reply.words


@pytest.mark.parametrize(
    "spec", [one.spec for one in COMMANDS if one.spec.kind is CommandKind.SLASH and one.spec.options], ids=lambda spec: spec.name
)
def test_every_command_of_the_product_has_a_form_slack_takes(spec: CommandSpec) -> None:
    space = Space(PlatformName("slack"), "T1", "T1")
    asking = Asking("1", space, PlatformUserId("U1"), "ann", {"response_url": "https://hooks.slack.example/" + "x" * 200}, DEFAULT_START)

    view = form(spec, asking)

    assert examine(view, "modal") == view
    assert {block["block_id"] for block in view["blocks"]} == {option.name for option in spec.options}
    assert json.loads(view["private_metadata"])["words"] == list(spec.words)
    assert len(view["title"]["text"]) <= 24


async def test_the_home_page_shows_what_its_command_answers(house: House) -> None:
    async with asyncio.TaskGroup() as tasks:
        opened = tasks.create_task(house.ann.open_home(house.club))
        request = await house.inbox.request()
        await house.adapter.reply(
            request.handle, CommandReply("Your club", ("All is well",), (ReplyButton("Archive", action="plan archive:p-1"),))
        )
    home = opened.result()
    assert (request.words, request.can_manage) == (("doorman", "home"), True)
    assert "Your club" in home.words

    with pytest.raises(NoAnswerError, match="never came back"):  # the page stays as it is, and the answer is a direct message
        await house.ann.click(home, "Archive", within=0.3)
    request = await house.inbox.request()
    await house.adapter.reply(request.handle, CommandReply("Archived", ()))
    assert (request.words, request.options) == (("plan", "archive"), {"argument": "p-1"})
    assert "Archived" in house.ann.dms(house.club)[-1].words


async def test_a_late_home_page_is_still_a_home_page(house: House) -> None:
    async with asyncio.TaskGroup() as tasks:
        opened = tasks.create_task(house.bob.open_home(house.club))
        request = await house.inbox.request()
        house.clock.advance(timedelta(hours=2))
        await house.adapter.reply(request.handle, CommandReply("Hello", ()))
    assert "Hello" in opened.result().words
    assert not request.can_manage


async def test_the_form_of_a_plan_offers_user_groups_beside_channels(house: House) -> None:
    group = house.ann.create_group(house.club, "Gold people", "gold")
    reply = await house.ann.command(house.club, "/doorman plan create")

    sent = await house.ann.submit(reply, {"Name": "Gold", "Or a user group": "Gold people"})

    assert sent.closed
    request = await house.inbox.request()
    assert request.options == {"name": "Gold", "role": group.id}
    assert request.labels == {group.id: "Gold people"}


async def test_a_plan_opens_a_channel_or_a_group_and_the_form_says_which_is_missing(house: House) -> None:
    group, gold = house.ann.create_group(house.club, "Gold people", "gold"), house.ann.create_channel(house.club, "gold")
    reply = await house.ann.command(house.club, "/doorman plan create")

    neither = await house.ann.submit(reply, {"Name": "Gold"})
    assert neither.errors == {"role": "Pick a channel, or a user group below."}
    both = await house.ann.submit(reply, {"Name": "Gold", "Role": gold.id, "Or a user group": group.id})
    assert both.errors == {"role_group": "Pick a channel or a user group, not both."}
    assert not house.inbox.requests


async def test_without_user_groups_or_where_slack_does_not_list_them_the_form_asks_for_a_channel(house: House) -> None:
    first = await house.ann.command(house.club, "/doorman plan create")
    house.ann.create_group(house.club, "Gold people", "gold")
    house.emulator.refuse("usergroups.list", "missing_scope")
    second = await house.ann.command(house.club, "/doorman plan create")

    for reply in (first, second):
        assert reply.modal is not None
        assert "Or a user group" not in reply.modal.words
        assert (await house.ann.submit(reply, {"Name": "Gold"})).errors == {"role": "This is needed."}


def test_a_form_lists_as_many_user_groups_as_slack_takes() -> None:
    space = Space(PlatformName("slack"), "T1", "T1")
    groups = [(Resource(space, ResourceKind.USER_GROUP, f"S{number:08}"), f"Group {number}" + "x" * 90) for number in range(150)]
    asking = Asking("1", space, PlatformUserId("U1"), "ann", {}, DEFAULT_START)
    spec = next(one.spec for one in COMMANDS if one.spec.name == "doorman plan create")

    view = form(spec, asking, groups)

    assert examine(view, "modal") == view
    (field,) = [block for block in view["blocks"] if block["block_id"] == "role_group"]
    assert len(field["element"]["options"]) == 100
    assert "type the command with any other" in field["hint"]["text"]
