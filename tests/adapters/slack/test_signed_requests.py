import asyncio
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from adapters.slack import build
from adapters.slack.signature import ForgedError, Verifier
from core.clock import SystemClock
from core.ids import RandomIds
from core.platform import EventKind
from sandbox.clock import VirtualClock
from sandbox.faults import Fault, FaultKind
from sandbox.slack.person import NoAnswerError
from sandbox.slack.signature import signed
from tests.adapters.slack.house import House

SECRET = "a signing secret"


def now() -> int:
    return int(SystemClock().now().timestamp())


def envelope(house: House, **event: Any) -> bytes:  # noqa: ANN401
    body = {"type": "event_callback", "team_id": house.club.id, "event_id": "Ev1", "event_time": now(), "event": event}
    return json.dumps(body).encode()


def joined(house: House, user: str = "U0NEWCOMER") -> bytes:
    return envelope(house, type="team_join", user={"id": user, "name": "new"})


COMMAND = {"command": "/doorman", "text": "status", "user_id": "U1", "trigger_id": "1.2.a", "team_id": "T1"}


@pytest.mark.parametrize("body", [b"{bad", b"[1]", b"null", b"\xff\xfe{}", b'"text"', b"", urlencode(COMMAND).encode()])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Request-Timestamp": "soon", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "1_700_000_000", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "٣", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "9" * 400, "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "NOW", "X-Slack-Signature": "v0=ünïcödé"},
        {"X-Slack-Request-Timestamp": "NOW", "X-Slack-Signature": ""},
        {"X-Slack-Request-Timestamp": "NOW"},
        {"X-Slack-Signature": "v0=00"},
    ],
)
async def test_what_slack_did_not_sign_is_turned_away_whatever_it_holds(house: House, headers: dict[str, str], body: bytes) -> None:
    given = {name: value.replace("NOW", str(now())) for name, value in headers.items()}

    assert await house.post(body, given) == 401
    assert not house.inbox.requests
    assert not house.inbox.events


async def test_a_signature_of_another_body_secret_or_time_is_turned_away(house: House) -> None:
    body = joined(house)
    secret = house.served.signing_secret
    for headers in (
        signed("another secret", now(), body),
        signed(secret, now(), body + b" "),
        signed(secret, now() - 301, body),
        signed(secret, now() + 302, body),
        {**signed(secret, now(), body), "X-Slack-Request-Timestamp": str(now() - 1)},
    ):
        assert await house.post(body, dict(headers)) == 401

    assert not house.inbox.events
    assert await house.post(body, dict(signed(secret, now() - 290, body))) == 200
    assert len(house.inbox.events) == 1


async def test_a_replay_is_refused_and_does_nothing(house: House) -> None:
    body = urlencode({**COMMAND, "team_id": house.club.id, "user_id": house.user(house.bob)}).encode()
    headers = dict(signed(house.served.signing_secret, now(), body))
    form = "application/x-www-form-urlencoded"

    assert [await house.post(body, headers, kind=form) for _ in range(3)] == [200, 401, 401]
    assert len(house.inbox.requests) == 1


async def test_two_of_the_same_at_once_are_taken_once(house: House) -> None:
    body = joined(house)
    headers = dict(signed(house.served.signing_secret, now(), body))

    statuses = await asyncio.gather(*(house.post(body, headers) for _ in range(5)))

    assert sorted(statuses) == [200, 401, 401, 401, 401]
    assert len(house.inbox.events) == 1


async def test_what_failed_may_come_again_in_the_same_second(house: House) -> None:
    body = joined(house)
    headers = dict(signed(house.served.signing_secret, now(), body))
    house.inbox.failures = 1

    assert [await house.post(body, headers) for _ in range(2)] == [500, 200]
    assert house.kinds() == [EventKind.MEMBER_JOINED]


def test_a_signature_is_remembered_for_longer_than_it_is_good(clock: VirtualClock) -> None:
    verifier = Verifier(SECRET, clock)
    headers = signed(SECRET, int(clock.now().timestamp()) + 300, b"x")

    def passes() -> bool:
        try:
            with verifier.genuine(headers, b"x") as passage:
                passage.settled = True
        except ForgedError:
            return False
        return True

    assert passes()
    for _ in range(10):
        clock.advance(timedelta(minutes=1))
        assert not passes()
    clock.advance(timedelta(minutes=5))
    with verifier.genuine(signed(SECRET, int(clock.now().timestamp()), b"y"), b"y"):
        assert len(verifier._seen) == 1


async def test_a_word_in_what_is_typed_changes_nothing(house: House) -> None:
    request, reply = await house.say(house.bob, "/doorman tip 5 payload", "Thank you")

    assert (request.words, request.options) == (("tip",), {"amount": "5", "message": "payload"})
    assert "Thank you" in reply.words
    for message in ('payload={"type":"x"}', "&payload=1 ssl_check=1", "url_verification"):
        request, _ = await house.say(house.bob, f'/doorman tip 5 message:"{message}"'.replace('{"type":"x"}', "{type}"))
        assert request.options["message"] == message.replace('{"type":"x"}', "{type}")


async def test_a_command_is_stored_before_it_is_acknowledged(house: House) -> None:
    house.inbox.slow = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(house.say(house.bob, "/doorman status", "Here you are"))
        await house.until(lambda: house.emulator.model.interactions)
        interaction = house.emulator.model.interactions[-1]
        assert not interaction.acknowledged
        assert not house.inbox.requests
        house.inbox.slow.set()
    assert interaction.acknowledged
    assert asked.result()[1].ephemeral


async def test_a_command_that_could_not_be_stored_is_told_to_whoever_typed_it(house: House) -> None:
    house.inbox.failures = 1

    with pytest.raises(NoAnswerError, match="http_error"):
        await house.bob.command(house.club, "/doorman status")
    assert not house.inbox.requests


async def test_an_event_whose_taking_fails_is_sent_again_and_is_there_once(house: House) -> None:
    house.inbox.failures = 2
    fan = house.emulator.people.person("fan")

    house.emulator.people.join(fan, house.club)
    await house.emulator.settled()
    assert house.kinds() == []
    house.clock.advance(timedelta(minutes=1))
    await house.emulator.settled()

    assert house.kinds() == [EventKind.MEMBER_JOINED]
    assert [one.failure for one in house.emulator.deliveries.made if one.name == "team_join"] == ["http_error", "http_error", None]


async def test_an_event_that_comes_several_times_is_there_once(house: House) -> None:
    house.emulator.wire.faults.add(Fault("slack", FaultKind.DUPLICATE, route="WEBHOOK team_join", copies=3))

    house.emulator.people.join(house.emulator.people.person("fan"), house.club)
    await house.inbox.event(EventKind.MEMBER_JOINED)
    house.clock.advance(timedelta(minutes=10))
    await house.emulator.settled()

    assert house.kinds() == [EventKind.MEMBER_JOINED]


async def test_what_we_have_no_use_for_is_acknowledged(house: House) -> None:
    assert await house.post(envelope(house, type="reaction_added", user="U1")) == 200
    assert await house.post(b'{"type": "something_new"}') == 200
    assert await house.post(urlencode({"payload": '{"type": "shortcut", "callback_id": "x"}'}).encode(), kind="text/plain") == 200
    assert await house.post(b"[1]") == 400
    assert await house.post(b"\xff", kind="application/x-www-form-urlencoded") == 400
    assert not house.inbox.events


async def test_slack_may_look_at_our_certificate_unsigned(house: House) -> None:
    assert await house.post(b"ssl_check=1&token=x&command=%2Fdoorman&text=status", {}, kind="application/x-www-form-urlencoded") == 200
    assert not house.inbox.requests


async def test_there_is_one_address_and_one_method(house: House) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(house.url) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        async with http.post(house.url + "/more") as answer:
            assert answer.status == 404


async def test_without_a_signing_secret_no_request_is_taken(wired: House) -> None:
    status, _, _ = await wired.adapter.handle("POST", "/events", signed("", now(), b"{}"), b"{}", wired.inbox)

    assert status == 404


async def test_once_we_stop_listening_slack_is_refused_so_that_it_sends_it_to_whoever_comes_next(house: House) -> None:
    await house.adapter.stop_listening()
    body = joined(house)
    assert await house.post(body) == 503
    with pytest.raises(NoAnswerError, match="http_error"):
        await house.bob.command(house.club, "/doorman status")
    assert not house.inbox.events
    assert not house.inbox.requests

    successor = build(house.settings(), clock=house.clock, ids=RandomIds(), credentials=house.credentials)
    try:
        headers = {**signed(house.served.signing_secret, now(), body), "Content-Type": "application/json"}
        assert (await successor.handle("POST", "/events", headers, body, house.inbox))[0] == 200
    finally:
        await successor.close()
    assert house.kinds() == [EventKind.MEMBER_JOINED]


async def test_what_came_before_we_stop_listening_is_handed_in_when_that_returns(house: House) -> None:
    house.inbox.gate = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        posted = tasks.create_task(house.post(joined(house)))
        await house.until(lambda: house.inbox.waiting)
        stopping = tasks.create_task(house.adapter.stop_listening())
        assert not (await asyncio.wait([stopping], timeout=0.1))[0]
        house.inbox.gate.set()
        await stopping
        assert house.kinds() == [EventKind.MEMBER_JOINED]
    assert posted.result() == 200
