"""One round over real sockets: a command over Socket Mode and one over HTTP, each answered later."""

import asyncio

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.sandbox.slack.conftest import Listener, Rig


async def test_a_command_over_socket_mode_is_answered_through_its_response_url(rig: Rig) -> None:
    socket = SocketModeClient(rig.served.app_token, web_client=AsyncWebClient(base_url=rig.served.api_url))

    async def take(_: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        assert request.payload["command"] == "/doorman"
        await AsyncWebhookClient(request.payload["response_url"]).send(text=f"heard {request.payload['text']}")

    socket.socket_mode_request_listeners.append(take)  # type: ignore[arg-type] # the SDK's own union is narrower than its docs
    await socket.connect()
    try:
        reply = await rig.bo.command(rig.acme, "/doorman plan list")
        assert (reply.text, reply.ephemeral) == ("heard plan list", True)
    finally:
        await socket.close()


async def test_a_command_over_http_is_signed_and_answered(rig: Rig, listener: Listener) -> None:
    async def later(url: str) -> None:
        await AsyncWebhookClient(url).send(text="here you are")

    async with asyncio.TaskGroup() as tasks:

        def answer(request: object) -> "object":
            tasks.create_task(later(request.fields["response_url"]))  # type: ignore[attr-defined]
            from aiohttp import web

            return web.Response()

        listener.answer = answer  # type: ignore[assignment]
        reply = await rig.bo.command(rig.acme, "/doorman tip 5 payload")
    assert reply.text == "here you are"
    assert listener.heard[0].fields["text"] == "tip 5 payload"
