"""One round over real sockets: a command over Socket Mode and one over HTTP, each answered later."""

import asyncio

from aiohttp import web
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.sandbox.slack.conftest import Connect, Listener, Request, Rig


async def test_a_command_over_socket_mode_is_answered_through_its_response_url(rig: Rig, connect: Connect) -> None:
    async def take(request: SocketModeRequest) -> None:
        assert request.payload["command"] == "/doorman"
        await AsyncWebhookClient(str(request.payload["response_url"])).send(text=f"heard {request.payload['text']}")

    await connect(take)
    reply = await rig.bo.command(rig.acme, "/doorman plan list")
    assert (reply.text, reply.ephemeral) == ("heard plan list", True)


async def test_a_command_over_http_is_signed_and_answered(rig: Rig, listener: Listener) -> None:
    async def later(url: str) -> None:
        await AsyncWebhookClient(url).send(text="here you are")

    async with asyncio.TaskGroup() as tasks:

        def answer(request: Request) -> web.Response:
            tasks.create_task(later(request.fields["response_url"]))
            return web.Response()

        listener.answer = answer
        reply = await rig.bo.command(rig.acme, "/doorman tip 5 payload")
    assert reply.text == "here you are"
    assert listener.heard[0].fields["text"] == "tip 5 payload"
