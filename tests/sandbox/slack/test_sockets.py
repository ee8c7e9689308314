"""Socket Mode with the SDK's own client: in turn over several connections, again without an acknowledgement, and moved elsewhere."""

import asyncio
from datetime import timedelta

import aiohttp
import pytest
from slack_sdk.socket_mode.request import SocketModeRequest

from sandbox.slack.people import NoAnswerError
from tests.sandbox.slack.conftest import Connect, Rig


def newcomer(rig: Rig, name: str = "cy") -> None:
    rig.slack.people.person(name).accept(rig.ann.invite_link(rig.acme))


async def test_an_event_arrives_in_an_envelope(rig: Rig, connect: Connect) -> None:
    heard: list[SocketModeRequest] = []

    async def take(request: SocketModeRequest) -> None:
        heard.append(request)

    await connect(take)
    newcomer(rig)
    await rig.slack.settled()
    [sent] = [one for one in heard if one.payload["event"]["type"] == "team_join"]
    assert (sent.type, sent.accepts_response_payload, sent.retry_attempt) == ("events_api", False, 0)


async def test_several_connections_take_turns(rig: Rig, connect: Connect) -> None:
    heard: list[list[str]] = [[], []]

    async def first(request: SocketModeRequest) -> None:
        heard[0].append(request.envelope_id)

    async def second(request: SocketModeRequest) -> None:
        heard[1].append(request.envelope_id)

    await connect(first)
    await connect(second)
    for number in range(4):
        newcomer(rig, f"fan{number}")
        await rig.slack.settled()
    assert [len(one) for one in heard] == [2, 2]


async def test_an_event_without_acknowledgement_is_sent_again_and_a_command_is_not(rig: Rig, connect: Connect) -> None:
    heard: list[SocketModeRequest] = []

    async def take(request: SocketModeRequest) -> None:
        heard.append(request)

    rig.slack.patience = 0.05
    await connect(take, acknowledge=False)
    newcomer(rig)
    await rig.slack.settled()
    rig.clock.advance(timedelta(minutes=1))
    await rig.slack.settled()
    assert [(one.retry_attempt, one.retry_reason) for one in heard] == [(0, ""), (1, "timeout"), (2, "timeout")]
    with pytest.raises(NoAnswerError, match="timeout"):
        await rig.bo.command(rig.acme, "/doorman status")
    await rig.slack.settled()
    assert [one.type for one in heard].count("slash_commands") == 1


async def test_what_is_sent_while_nobody_is_connected_waits_for_the_retry(rig: Rig, connect: Connect) -> None:
    heard: list[SocketModeRequest] = []

    async def take(request: SocketModeRequest) -> None:
        heard.append(request)

    newcomer(rig)
    await rig.slack.settled()
    await connect(take)
    rig.clock.advance(timedelta(minutes=1))
    await rig.slack.settled()
    assert [one.retry_reason for one in heard] == ["connection_failed"]


async def test_the_client_follows_when_slack_asks_for_a_new_connection(rig: Rig, connect: Connect) -> None:
    arrived = asyncio.Event()

    async def take(_: SocketModeRequest) -> None:
        arrived.set()

    await connect(take)
    opened = rig.slack.rest.count("apps.connections.open")
    await rig.slack.sockets.refresh()
    await rig.slack.model.when(lambda: rig.slack.rest.count("apps.connections.open") > opened and rig.slack.sockets.connected)
    newcomer(rig)
    async with asyncio.timeout(5):
        await arrived.wait()


async def test_an_address_works_once_and_an_eleventh_connection_is_sent_away(rig: Rig, http: aiohttp.ClientSession) -> None:
    async def address() -> str:
        headers = {"Authorization": f"Bearer {rig.served.app_token}"}
        async with http.post(rig.served.api_url + "apps.connections.open", headers=headers) as answer:
            return str((await answer.json())["url"])

    first = await address()
    sockets = [await http.ws_connect(first)]
    hello = await sockets[0].receive_json()
    assert (hello["type"], hello["num_connections"], hello["connection_info"]) == ("hello", 1, {"app_id": rig.slack.model.app.id})
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(first)
    sockets += [await http.ws_connect(await address()) for _ in range(9)]
    one_more = await http.ws_connect(await address())
    assert (await one_more.receive_json())["reason"] == "too_many_websockets"
    for one in [*sockets, one_more]:
        await one.close()


async def test_an_outage_cuts_the_connections_and_refuses_new_ones(rig: Rig, connect: Connect) -> None:
    client = await connect()
    client.auto_reconnect_enabled = False
    async with rig.slack.outage():
        assert rig.slack.sockets.connected == 0
        rig.slack.model.tickets.add("ticket")
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(rig.served.base_url + "/link/?ticket=ticket")
            async with http.post(rig.served.api_url + "api.test") as answer:
                assert answer.status == 503


async def test_a_warning_leaves_the_connection_and_a_disabled_mode_ends_it(rig: Rig, http: aiohttp.ClientSession) -> None:
    async def joined() -> aiohttp.ClientWebSocketResponse:
        headers = {"Authorization": f"Bearer {rig.served.app_token}"}
        async with http.post(rig.served.api_url + "apps.connections.open", headers=headers) as answer:
            return await http.ws_connect(str((await answer.json())["url"]))

    socket = await joined()
    assert (await socket.receive_json())["type"] == "hello"
    await rig.slack.sockets.warn()
    assert (await socket.receive_json())["reason"] == "warning"
    assert rig.slack.sockets.connected == 1
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(rig.slack.sockets.refresh())
        assert (await socket.receive_json())["reason"] == "refresh_requested"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    rig.slack.model.app.socket_mode = False
    sent_away = await joined()
    assert (await sent_away.receive_json())["reason"] == "link_disabled"
    await sent_away.receive()
