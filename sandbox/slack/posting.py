"""Saying something: what a message must be, and where it appears."""

from typing import TYPE_CHECKING, Any

from sandbox.slack import blocks, installation
from sandbox.slack.channels import Channel
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.interactions import Interaction
from sandbox.slack.messages import Message
from sandbox.slack.users import User
from sandbox.slack.workspaces import Workspace

if TYPE_CHECKING:
    from sandbox.slack.world import World

LONGEST, MOST_BLOCKS = 40_000, 50


def examine(text: str, given: object) -> tuple[str, list[Payload]]:
    """Return the words and blocks of a message if they are sound; refuses as Slack does."""
    found: list[Any] = [] if given in (None, "", []) else given if isinstance(given, list) else [given]
    if not text and not found:
        raise RefusedError("no_text")
    if len(text) > LONGEST:
        raise RefusedError("msg_too_long")
    problems = blocks.problems(found)
    if len(found) > MOST_BLOCKS:
        problems.append("no more than 50 items allowed")
    if problems:
        raise RefusedError("invalid_blocks", response_metadata={"messages": [f"[ERROR] {one}" for one in problems]})
    return text, found


def by_bot(world: "World", workspace: Workspace, channel: Channel, text: str, found: list[Payload], **more: str | None) -> Message:
    """Make a message of our bot; the caller puts it where it belongs."""
    bot = workspace.bot
    profile = installation.bot_profile(world, workspace)
    message = Message(world.ids.ts(), workspace.id, channel.id, bot.id if bot else "", text, found, profile, **more)  # type: ignore[arg-type] # thread_ts, to
    blocks.name_all(world.ids, message.blocks)
    return message


def say(world: "World", channel: Channel, message: Message) -> None:
    """Put a message into a channel."""
    channel.messages[message.ts] = message
    world.changes.notify()


def by_person(world: "World", channel: Channel, user: User, text: str) -> Message:
    """Write as a person."""
    message = Message(world.ids.ts(), channel.team_id, channel.id, user.id, text)
    say(world, channel, message)
    return message


def whisper(world: "World", message: Message, because: Interaction | None) -> None:
    """Show a message to one person only; ``because`` is what they did that it answers."""
    world.whispers.append(message)
    if because is not None:
        because.said.append(message)
    world.changes.notify()


def rewrite(world: "World", message: Message, text: str, found: list[Payload]) -> None:
    """Edit a message; a person who just pressed a button of it sees that as the answer."""
    message.rewrite(text, found)
    blocks.name_all(world.ids, message.blocks)
    for one in world.interactions:
        if one.source is message:
            one.touched = True
    world.changes.notify()
