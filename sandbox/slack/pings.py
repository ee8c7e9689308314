"""Whom a message calls by name, as Slack's markup and rich text have it: https://docs.slack.dev/messaging/formatting-message-text."""

import re
from collections.abc import Iterator

from sandbox.slack.errors import Payload
from sandbox.slack.messages import Message, elements

_CALLED = re.compile(r"<(?:!subteam\^|!|@)([A-Za-z0-9]+)(?:\|[^>]*)?>")
_RICH = {"user": "user_id", "usergroup": "usergroup_id", "broadcast": "range"}


def pings(message: Message) -> list[str]:
    """Return user ids, user group ids, and ``channel``, ``here`` or ``everyone``; with blocks the text calls nobody."""
    if not message.blocks:
        return _CALLED.findall(message.text)
    return [found for block in message.blocks for found in _of_block(block)]


def _of_block(block: Payload) -> Iterator[str]:
    if block.get("type") == "rich_text":
        yield from _of_rich(block)
        return
    for holder in (block.get("text"), *(block.get("fields") or []), *(one for _, one in elements([block]))):
        if isinstance(holder, dict) and holder.get("type") == "mrkdwn":
            yield from _CALLED.findall(str(holder.get("text", "")))


def _of_rich(block: Payload) -> Iterator[str]:
    for one in block.get("elements") or []:
        name = _RICH.get(one.get("type", ""))
        if name is not None:
            yield str(one[name])
        yield from _of_rich(one)
