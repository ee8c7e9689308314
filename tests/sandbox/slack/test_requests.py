"""What the app is sent at its request URL: signed, in time, and events again when they fail."""

import asyncio
import time
from datetime import timedelta

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from sandbox.faults import Fault, FaultKind
from sandbox.slack.people import CannotError, NoAnswerError
from sandbox.slack.signature import signed
from sandbox.wire import serve
from tests.sandbox.slack.conftest import Listener, Request, Rig


def test_the_signature_is_the_one_the_sdk_verifies_and_no_other_body_has_it() -> None:
    now = int(time.time())  # noqa: TID251 - the verifier reads the machine's clock
    headers, verifier = dict(signed("secret", now, b"body")), SignatureVerifier("secret")
    assert verifier.is_valid_request(b"body", headers)
    assert not verifier.is_valid_request(b"bodz", headers)
    assert not SignatureVerifier("other").is_valid_request(b"body", headers)


async def test_a_url_that_does_not_answer_the_challenge_is_not_taken(rig: Rig) -> None:
    async def deaf(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_post("/", deaf)
    async with serve(app) as url:
        with pytest.raises(ValueError, match="challenge"):
            await rig.slack.set_request_url(url + "/")
    assert rig.slack.model.app.request_url is None


async def test_a_newcomer_is_an_event_with_an_id_and_an_authorisation(rig: Rig, listener: Listener) -> None:
    cy = rig.slack.people.person("cy")
    cy.accept(rig.ann.invite_link(rig.acme))
    await rig.slack.settled()
    [sent] = listener.events("team_join")
    assert (sent["type"], sent["team_id"], sent["api_app_id"]) == ("event_callback", rig.acme.id, rig.slack.model.app.id)
    assert sent["event_id"].startswith("Ev0")
    assert sent["authorizations"][0] | {"enterprise_id": None} == {
        "enterprise_id": None,
        "team_id": rig.acme.id,
        "user_id": rig.acme.bot.id if rig.acme.bot else "",
        "is_bot": True,
        "is_enterprise_install": False,
    }
    assert sent["event"]["user"]["profile"]["email"] == "cy@example.org"


async def test_a_failed_event_is_sent_again_at_once_after_a_minute_and_after_five(rig: Rig, listener: Listener) -> None:
    listener.answer = lambda _: web.Response(status=500)
    rig.slack.people.person("cy").accept(rig.ann.invite_link(rig.acme))
    await rig.slack.settled()
    assert [one.headers.get("X-Slack-Retry-Num") for one in listener.heard] == [None, "1"]
    rig.clock.advance(timedelta(seconds=59))
    await rig.slack.settled()
    assert len(listener.heard) == 2
    rig.clock.advance(timedelta(seconds=1))
    await rig.slack.settled()
    assert (len(listener.heard), listener.heard[2].headers["X-Slack-Retry-Reason"]) == (3, "http_error")
    rig.clock.advance(timedelta(minutes=5))
    await rig.slack.settled()
    rig.clock.advance(timedelta(days=1))
    await rig.slack.settled()
    assert len(listener.heard) == 4
    assert len({one.fields["event_id"] for one in listener.heard}) == 1


async def test_an_app_can_ask_for_no_retry(rig: Rig, listener: Listener) -> None:
    listener.answer = lambda _: web.Response(status=500, headers={"X-Slack-No-Retry": "1"})
    rig.slack.people.person("cy").accept(rig.ann.invite_link(rig.acme))
    await rig.slack.settled()
    rig.clock.advance(timedelta(days=1))
    await rig.slack.settled()
    assert len(listener.heard) == 1


async def test_an_answer_that_takes_too_long_is_a_timeout(rig: Rig, listener: Listener) -> None:
    release, rig.slack.patience = asyncio.Event(), 0.05

    async def slow(_: Request) -> web.Response:
        await release.wait()
        return web.Response()

    listener.answer = slow
    rig.slack.people.person("cy").accept(rig.ann.invite_link(rig.acme))
    await rig.slack.settled()
    assert {one.failure for one in rig.slack.deliveries.made} == {"http_timeout"}
    with pytest.raises(NoAnswerError, match="http_timeout"):
        await rig.bo.command(rig.acme, "/doorman status")
    release.set()


async def test_a_command_is_never_sent_twice(rig: Rig, listener: Listener) -> None:
    listener.answer = lambda _: web.Response(status=500)
    with pytest.raises(NoAnswerError, match="http_error"):
        await rig.bo.command(rig.acme, "/doorman status")
    rig.clock.advance(timedelta(days=1))
    await rig.slack.settled()
    assert len(listener.heard) == 1


async def test_a_command_tells_who_where_and_how_to_answer(rig: Rig, listener: Listener) -> None:
    listener.answer = lambda _: web.Response(text="fine")
    reply = await rig.ann.command(rig.acme, "/doorman  tip @bo 5", channel=rig.gold)
    fields = listener.heard[0].fields
    assert (reply.text, reply.ephemeral) == ("fine", True)
    assert (fields["command"], fields["text"], fields["user_id"]) == ("/doorman", "tip @bo 5", rig.ann.id(rig.acme))
    assert (fields["channel_id"], fields["channel_name"], fields["team_domain"]) == (rig.gold.id, "privategroup", "acme")
    assert fields["response_url"].startswith(f"{rig.served.base_url}/commands/{rig.acme.id}/")


async def test_mentions_are_resolved_only_for_commands_that_say_so(rig: Rig, listener: Listener) -> None:
    rig.slack.model.app.escaped = frozenset({"/doorman"})
    listener.answer = lambda _: web.Response(text="fine")
    await rig.ann.command(rig.acme, "/doorman tip @bo 5 in #gold to @nobody")
    expected = f"tip <@{rig.bo.id(rig.acme)}|bo> 5 in <#{rig.gold.id}|gold> to @nobody"
    assert listener.heard[0].fields["text"] == expected


async def test_an_answer_may_be_for_all_to_see(rig: Rig, listener: Listener) -> None:
    listener.answer = lambda _: web.json_response({"response_type": "in_channel", "text": "hear hear"})
    reply = await rig.ann.command(rig.acme, "/doorman cheer", channel=rig.gold)
    assert (reply.ephemeral, [one.text for one in rig.ann.posts(rig.gold)]) == (False, ["hear hear"])


async def test_a_response_url_works_five_times_within_half_an_hour(rig: Rig, listener: Listener) -> None:
    listener.answer = lambda _: web.Response(text="wait")
    reply = await rig.bo.command(rig.acme, "/doorman status")
    hook = AsyncWebhookClient(listener.heard[0].fields["response_url"])
    for number in range(5):
        assert (await hook.send(text=str(number))).status_code == 200
    used = await hook.send(text="6")
    assert (used.status_code, "used_url" in used.body) == (404, True)
    assert [one.text for one in reply.followups] == ["0", "1", "2", "3", "4"]
    await rig.bo.command(rig.acme, "/doorman status")
    rig.clock.advance(timedelta(minutes=30, seconds=1))
    late = await AsyncWebhookClient(listener.heard[1].fields["response_url"]).send(text="late")
    assert (late.status_code, "expired_url" in late.body) == (404, True)


async def test_during_an_outage_response_urls_are_down_and_no_use_of_them_is_spent(rig: Rig, listener: Listener) -> None:
    listener.answer = lambda _: web.Response(text="wait")
    reply = await rig.bo.command(rig.acme, "/doorman status")
    hook = AsyncWebhookClient(listener.heard[0].fields["response_url"], retry_handlers=[])
    async with rig.slack.outage():
        assert (await hook.send(text="lost")).status_code == 503
    for _ in range(5):
        assert (await hook.send(text="here")).status_code == 200
    assert [one.text for one in reply.followups] == ["here"] * 5


async def test_an_answer_can_take_the_place_of_the_last(rig: Rig, listener: Listener) -> None:
    listener.answer = lambda _: web.Response(text="one moment")
    reply = await rig.bo.command(rig.acme, "/doorman status")
    hook = AsyncWebhookClient(listener.heard[0].fields["response_url"])
    await hook.send(text="done", replace_original=True)
    assert (reply.text, reply.followups) == ("done", [])


async def test_an_ephemeral_message_through_the_api_answers_too(rig: Rig, listener: Listener, client: AsyncWebClient) -> None:
    async with asyncio.TaskGroup() as tasks:

        def answer(request: Request) -> web.Response:
            place = {"channel": request.fields["channel_id"], "user": request.fields["user_id"]}
            tasks.create_task(client.chat_postEphemeral(**place, text="late but here"))
            return web.Response()

        listener.answer = answer
        assert (await rig.bo.command(rig.acme, "/doorman status")).text == "late but here"


async def test_there_is_no_command_without_the_app_or_by_another_name(rig: Rig, listener: Listener) -> None:
    rig.slack.model.app.commands = frozenset({"/doorman"})
    with pytest.raises(CannotError):
        await rig.bo.command(rig.acme, "/other status")
    rig.ann.uninstall(rig.acme)
    with pytest.raises(CannotError):
        await rig.bo.command(rig.acme, "/doorman status")
    await rig.slack.settled()
    assert [one.fields["event"]["type"] for one in listener.heard] == ["tokens_revoked", "app_uninstalled"]


@pytest.mark.parametrize(("kind", "times"), [(FaultKind.DROP, 0), (FaultKind.DUPLICATE, 2)])
async def test_the_fault_plan_loses_and_doubles_events(rig: Rig, listener: Listener, kind: FaultKind, times: int) -> None:
    rig.slack.wire.faults.add(Fault("slack", kind, "WEBHOOK team_join"))
    rig.slack.people.person("cy").accept(rig.ann.invite_link(rig.acme))
    await rig.slack.settled()
    assert len(listener.events("team_join")) == times


async def test_the_fault_plan_delays_an_event_by_the_sandboxs_clock(rig: Rig, listener: Listener) -> None:
    rig.slack.wire.faults.add(Fault("slack", FaultKind.DELAY, "WEBHOOK team_join", seconds=60))
    rig.slack.people.person("cy").accept(rig.ann.invite_link(rig.acme))
    await rig.slack.settled()
    assert listener.heard == []
    rig.clock.advance(timedelta(seconds=60))
    await rig.slack.settled()
    assert len(listener.events("team_join")) == 1


async def test_a_hundred_events_at_once_all_arrive_though_the_app_takes_its_time(rig: Rig, listener: Listener) -> None:
    rig.slack.patience = 3.0

    async def unhurried(_: Request) -> web.Response:
        await asyncio.sleep(1.2)
        return web.Response()

    listener.answer = unhurried
    for number in range(100):
        rig.slack.people.join(rig.slack.people.person(f"fan{number}"), rig.acme)
    await rig.slack.settled()
    assert (len(listener.events("team_join")), {one.attempt for one in rig.slack.deliveries.made}) == (100, {0})


async def test_a_command_typed_to_the_app_directly_says_so(rig: Rig, listener: Listener) -> None:
    listener.answer = lambda _: web.Response(text="fine")
    await rig.bo.command(rig.acme, "/doorman status", channel=rig.bo.direct(rig.acme))
    assert listener.heard[0].fields["channel_name"] == "directmessage"


async def test_the_check_of_the_certificate_comes_without_a_signature(rig: Rig) -> None:
    seen: list[tuple[str, bool]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append((str((await request.post())["ssl_check"]), "X-Slack-Signature" in request.headers))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    async with serve(app) as url:
        rig.slack.model.app.request_url = url + "/"
        assert await rig.slack.check_certificate() == 200
    assert seen == [("1", False)]
