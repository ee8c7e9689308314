"""Where the app answers an interaction later: response URLs. https://docs.slack.dev/interactivity/handling-user-interaction."""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.slack import interactions, posting
from sandbox.slack.errors import RefusedError
from sandbox.slack.interactions import Interaction
from sandbox.slack.messages import Message
from sandbox.slack.world import World

PREFIXES = ("/commands/", "/actions/")
"""How the paths of response URLs begin, by what they answer."""


@dataclass(slots=True)
class Answers:
    """Takes what the app posts to response URLs, and what it says in its acknowledgement of a command."""

    world: World

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of both kinds of response URL."""
        return [web.post("/{kind:commands|actions}/{team_id}/{number}/{secret}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        """Take one answer."""
        try:
            body = dict(json.loads(await request.read()))
            answer(self.world, interactions.use_response_url(self.world, request.match_info["secret"]), body)
        except (ValueError, TypeError):
            return web.Response(status=400, text="invalid_payload")
        except RefusedError as refused:
            return web.json_response(refused.payload(), status=refused.status)
        return web.Response(text="ok")


def answer(world: World, one: Interaction, body: dict[str, Any]) -> None:
    """Show what the app answered: to the person only, to the channel, or in place of what they pressed."""
    shown = one.source or next((said for said in reversed(one.said) if not said.gone), None)
    if body.get("delete_original") and shown is not None:
        _remove(world, one, shown)
        return
    text, blocks = posting.examine(str(body.get("text") or ""), body.get("blocks"))
    if body.get("replace_original") and shown is not None:
        posting.rewrite(world, shown, text, blocks)
        one.touched = True
        world.changes.notify()
        return
    if one.channel is None:
        raise RefusedError("invalid_url", status=404)
    if body.get("response_type") == "in_channel":
        message = posting.by_bot(world, one.workspace, one.channel, text, blocks)
        one.said.append(message)
        posting.say(world, one.channel, message)
        return
    message = posting.by_bot(world, one.workspace, one.channel, text, blocks, to=one.user.id)
    posting.whisper(world, message, one)


def _remove(world: World, one: Interaction, message: Message) -> None:
    message.gone = True
    channel = one.workspace.channels.get(message.channel_id)
    if channel is not None:
        channel.messages.pop(message.ts, None)
    one.touched = True
    world.changes.notify()


def acknowledged(world: World, one: Interaction, failure: str | None, body: object) -> None:
    """Take the acknowledgement of an interaction, or its failure."""
    one.acknowledged, one.failure = failure is None, failure
    if failure is None and one.kind == interactions.COMMAND:
        said = body if isinstance(body, dict) else {"text": body} if isinstance(body, str) and body.strip() else {}
        if said.get("text") or said.get("blocks"):
            answer(world, one, said)
    elif failure is None and isinstance(body, dict):
        one.result = body
    world.changes.notify()
