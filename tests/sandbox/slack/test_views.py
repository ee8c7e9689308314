"""Buttons, modals and App Home, over signed HTTP."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from sandbox.slack.people import NoAnswerError
from tests.sandbox.slack.conftest import Listener, Request, Rig, error_of


def text(words: str) -> dict[str, str]:
    return {"type": "plain_text", "text": words}


def field(label: str, name: str) -> dict[str, Any]:
    return {"type": "input", "block_id": name, "label": text(label), "element": {"type": "plain_text_input", "action_id": "value"}}


MODAL = {
    "type": "modal",
    "callback_id": "plan",
    "private_metadata": "kept",
    "title": text("New plan"),
    "submit": text("Create"),
    "blocks": [field("Name", "name"), field("Price", "price")],
}
HOME = {"type": "home", "blocks": [{"type": "section", "text": text("You are in")}]}
PRESS = {"type": "actions", "block_id": "row", "elements": [{"type": "button", "action_id": "go", "value": "7", "text": text("Go")}]}


@pytest.fixture
def opens(listener: Listener, client: AsyncWebClient) -> Listener:
    """The app, which opens the modal on every command."""

    async def answer(request: Request) -> web.Response:
        if "command" in request.fields:
            await client.views_open(trigger_id=request.fields["trigger_id"], view=MODAL)
        return web.Response()

    listener.answer = answer
    return listener


async def test_a_command_opens_a_form_and_what_was_typed_arrives(rig: Rig, opens: Listener) -> None:
    reply = await rig.ann.command(rig.acme, "/doorman plan create")
    assert reply.modal is not None
    assert (reply.modal.title, reply.modal.words) == ("New plan", "Name\nPrice")
    done = await rig.ann.submit(reply, {"Name": "Gold", "price": "9.99"})
    assert (done.closed, done.errors) == (True, {})
    view = opens.heard[-1].fields["view"]
    assert (view["callback_id"], view["private_metadata"]) == ("plan", "kept")
    assert view["state"]["values"] == {
        "name": {"value": {"type": "plain_text_input", "value": "Gold"}},
        "price": {"value": {"type": "plain_text_input", "value": "9.99"}},
    }


async def test_a_form_with_errors_stays_and_can_be_sent_again(rig: Rig, opens: Listener) -> None:
    reply = await rig.ann.command(rig.acme, "/doorman plan create")
    opens.answer = lambda _: web.json_response({"response_action": "errors", "errors": {"price": "That is no price."}})
    refused = await rig.ann.submit(reply, {"Name": "Gold", "Price": "free"})
    assert (refused.errors, refused.closed) == ({"price": "That is no price."}, False)
    opens.answer = lambda _: web.Response()
    assert (await rig.ann.submit(reply, {"Name": "Gold", "Price": "9"})).closed


async def test_a_form_can_give_way_to_another(rig: Rig, opens: Listener) -> None:
    reply = await rig.ann.command(rig.acme, "/doorman plan create")
    following = {"type": "modal", "title": text("Done"), "blocks": [{"type": "section", "text": text("All set")}]}
    opens.answer = lambda _: web.json_response({"response_action": "update", "view": following})
    done = await rig.ann.submit(reply, {"Name": "Gold", "Price": "9"})
    assert done.modal is not None
    assert (done.modal.title, done.closed) == ("Done", False)


async def test_after_a_form_the_app_writes_directly(rig: Rig, opens: Listener, client: AsyncWebClient) -> None:
    reply = await rig.ann.command(rig.acme, "/doorman plan create")
    done = await rig.ann.submit(reply, {"Name": "Gold", "Price": "9"})
    await client.chat_postMessage(channel=rig.ann.id(rig.acme), text="Gold is on sale")
    assert (await done.reply()).text == "Gold is on sale"
    assert opens.heard[-1].fields["type"] == "view_submission"


async def test_a_trigger_lives_three_seconds_and_works_once(rig: Rig, listener: Listener, client: AsyncWebClient) -> None:
    listener.answer = lambda _: web.Response(text="wait")
    await rig.ann.command(rig.acme, "/doorman plan create")
    await rig.ann.command(rig.acme, "/doorman plan create")
    first, second = [one.fields["trigger_id"] for one in listener.heard]
    rig.clock.advance(timedelta(seconds=3))
    await client.views_open(trigger_id=first, view=MODAL)
    assert await error_of(client.views_open(trigger_id=first, view=MODAL)) == "exchanged_trigger_id"
    rig.clock.advance(timedelta(microseconds=1))
    assert await error_of(client.views_open(trigger_id=second, view=MODAL)) == "expired_trigger_id"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"private_metadata": "x" * 250_001}, "view_too_large"),
        ({"title": text("x" * 25)}, "invalid_arguments"),
        ({"submit": None}, "invalid_arguments"),
        ({"type": "home"}, "invalid_arguments"),
        ({"blocks": [{"type": "poem"}]}, "invalid_arguments"),
    ],
)
async def test_a_form_that_is_not_sound_is_not_shown(
    rig: Rig, listener: Listener, client: AsyncWebClient, change: dict[str, object], error: str
) -> None:
    listener.answer = lambda _: web.Response(text="wait")
    await rig.ann.command(rig.acme, "/doorman plan create")
    view = {key: value for key, value in {**MODAL, **change}.items() if value is not None}
    assert await error_of(client.views_open(trigger_id=listener.heard[0].fields["trigger_id"], view=view)) == error


async def test_the_app_home_shows_what_was_published_last(rig: Rig, listener: Listener, client: AsyncWebClient) -> None:
    async def publish(request: Request) -> web.Response:
        await client.views_publish(user_id=request.fields["event"]["user"], view=HOME)
        return web.Response()

    listener.answer = publish
    home = await rig.bo.open_home(rig.acme)
    assert home.words == "You are in"
    await rig.bo.open_home(rig.acme)
    [first, second] = listener.events("app_home_opened")
    assert ("view" in first["event"], second["event"]["view"]["id"], second["event"]["tab"]) == (False, home.view.id, "home")


async def test_an_old_hash_of_the_home_is_a_conflict(rig: Rig, client: AsyncWebClient) -> None:
    bo = rig.bo.id(rig.acme)
    first = (await client.views_publish(user_id=bo, view=HOME))["view"]["hash"]
    await client.views_publish(user_id=bo, view=HOME, hash=first)
    assert await error_of(client.views_publish(user_id=bo, view=HOME, hash=first)) == "hash_conflict"


async def test_a_pressed_button_tells_which_and_where_and_its_message_can_change(
    rig: Rig, listener: Listener, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel=rig.bo.id(rig.acme), text="choose", blocks=[PRESS])
    seen = await rig.bo.next_dm(rig.acme)
    async with asyncio.TaskGroup() as tasks:

        def answer(request: Request) -> web.Response:
            hook = AsyncWebhookClient(request.fields["response_url"])
            tasks.create_task(hook.send(text="chosen", replace_original=True))
            return web.Response()

        listener.answer = answer
        reply = await rig.bo.click(seen, "Go")
    assert (reply.text, seen.text) == ("chosen", "chosen")
    [action] = listener.heard[0].fields["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("go", "row", "7")
    assert listener.heard[0].fields["message"]["text"] == "choose"


async def test_a_button_on_the_home_may_publish_it_afresh(rig: Rig, listener: Listener, client: AsyncWebClient) -> None:
    async def publish(request: Request) -> web.Response:
        pressed = request.fields.get("actions")
        user = request.fields["user"]["id"] if pressed else request.fields["event"]["user"]
        await client.views_publish(user_id=user, view={"type": "home", "blocks": [PRESS] if not pressed else HOME["blocks"]})
        return web.Response()

    listener.answer = publish
    home = await rig.bo.open_home(rig.acme)
    await rig.bo.click(home, "go")
    assert home.words == "You are in"
    assert listener.heard[-1].fields["container"] == {"type": "view", "view_id": home.view.id}


async def test_an_app_that_never_answers_is_noticed(rig: Rig, listener: Listener) -> None:
    assert listener.heard == []
    with pytest.raises(NoAnswerError, match="never came back"):
        await rig.bo.command(rig.acme, "/doorman status", within=0.05)
    with pytest.raises(NoAnswerError):
        await rig.bo.open_home(rig.acme, within=0.05)
