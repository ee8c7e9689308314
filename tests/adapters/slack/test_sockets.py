import asyncio
import logging
from datetime import timedelta

import pytest

from adapters.slack import build
from core.ids import RandomIds
from core.platform import EventKind
from sandbox.clock import VirtualClock
from sandbox.slack.person import NoAnswerError
from storage.credentials import CredentialStore
from tests.adapters.slack.house import House


async def reconnected(house: House) -> None:
    """Let time pass until the socket is up again."""
    async with asyncio.timeout(15.0):
        while not (house.adapter.connected and house.emulator.sockets.connected == 1):
            house.clock.advance(timedelta(seconds=1))
            await asyncio.sleep(0.01)


async def test_commands_and_events_come_over_a_socket(wired: House) -> None:
    request, reply = await wired.say(wired.bob, "/doorman tip 5 payload", "Thanks")
    wired.emulator.people.join(wired.emulator.people.person("fan"), wired.club)
    await wired.inbox.event(EventKind.MEMBER_JOINED)

    assert request.options == {"amount": "5", "message": "payload"}
    assert "Thanks" in reply.words
    await wired.emulator.settled()
    assert all(one.failure is None for one in wired.emulator.deliveries.made)


async def test_what_cannot_be_stored_is_not_acknowledged(wired: House) -> None:
    wired.emulator.patience = 0.2
    wired.inbox.failures = 1
    with pytest.raises(NoAnswerError):
        await wired.bob.command(wired.club, "/doorman status")

    wired.inbox.failures = 1
    wired.emulator.people.join(wired.emulator.people.person("fan"), wired.club)
    await wired.emulator.settled()

    assert wired.kinds() == [EventKind.MEMBER_JOINED]
    assert [one.failure for one in wired.emulator.deliveries.made if one.name == "team_join"] == ["timeout", None]


async def test_what_is_typed_wrong_is_answered_at_once(wired: House) -> None:
    reply = await wired.bob.command(wired.club, "/doorman statsu")

    assert "/doorman status" in reply.words
    assert not wired.inbox.requests


async def test_a_refresh_loses_nothing_and_waits_for_nothing(wired: House) -> None:
    for _ in range(5):
        await wired.emulator.sockets.refresh()
        await wired.until(lambda: wired.adapter.connected and wired.emulator.sockets.connected == 1)
    await wired.say(wired.bob, "/doorman status")

    assert wired.emulator.rest.count("apps.connections.open") == 6


async def test_a_warning_brings_a_new_socket_before_the_old_one_goes(wired: House) -> None:
    await wired.emulator.sockets.warn()
    await wired.until(lambda: wired.emulator.rest.count("apps.connections.open") == 2)
    await wired.until(lambda: wired.adapter.connected and wired.emulator.sockets.connected == 1)

    await wired.say(wired.bob, "/doorman status")


async def test_a_cut_connection_is_noticed_and_replaced(wired: House) -> None:
    wired.emulator.sockets.drop_all()
    await wired.until(lambda: not wired.adapter.connected)

    await reconnected(wired)
    await wired.say(wired.bob, "/doorman status")


@pytest.mark.long
async def test_an_outage_is_outlasted(wired: House, caplog: pytest.LogCaptureFixture) -> None:
    async with wired.emulator.outage():
        await wired.until(lambda: not wired.adapter.connected)
        async with asyncio.timeout(10.0):
            while wired.emulator.rest.count("apps.connections.open") < 4 and caplog.text.count("cannot be reached") < 3:
                wired.clock.advance(timedelta(minutes=1))
                await asyncio.sleep(0.01)

    await reconnected(wired)
    await wired.say(wired.bob, "/doorman status")


async def test_a_refused_token_is_named_and_not_tried_again_and_again(
    clock: VirtualClock, store: CredentialStore, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(clock, store, socket=True)
    async with house.emulator.serve() as house.served:
        house.emulator.model.app.app_token = "xapp-another"
        adapter = build(house.settings(), clock=clock, ids=RandomIds(), credentials=store)
        with caplog.at_level(logging.ERROR):
            await adapter.start(house.inbox)
            await house.until(lambda: "SLACK_APP_TOKEN" in caplog.text)
        clock.advance(timedelta(minutes=59))
        await asyncio.sleep(0)
        assert not adapter.connected
        assert caplog.text.count("SLACK_APP_TOKEN") == 1
        await adapter.close()


async def test_closing_ends_every_task(wired: House) -> None:
    before = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]
    assert {"Supervisor.run", "SocketModeClient.receive_messages"} <= before
    await wired.adapter.close()

    assert not wired.adapter.connected
    await wired.until(lambda: wired.emulator.sockets.connected == 0)
    running = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]
    assert not [name for name in running if name.startswith(("SocketModeClient", "AsyncBase", "Line", "Supervisor", "Introduction"))]
