from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.errors import Payload


@dataclass(slots=True)
class Message:
    """A message in a channel, or one shown to a single person (``to``) only. ``version`` counts its edits."""

    ts: str
    team_id: str
    channel_id: str
    user_id: str
    text: str
    blocks: list[Payload] = field(default_factory=list)
    bot: Payload | None = None
    thread_ts: str | None = None
    to: str | None = None
    version: int = 0
    gone: bool = False

    def payload(self) -> Payload:
        """Return the message object."""
        body: Payload = {"type": "message", "text": self.text, "user": self.user_id, "ts": self.ts, "team": self.team_id}
        if self.bot is not None:
            body |= {"bot_id": self.bot["id"], "bot_profile": self.bot}
        if self.blocks:
            body["blocks"] = self.blocks
        if self.thread_ts:
            body["thread_ts"] = self.thread_ts
        return body

    def rewrite(self, text: str, blocks: list[Payload]) -> None:
        """Put other words in its place."""
        self.text, self.blocks = text, blocks
        self.version += 1


def elements(blocks: list[Payload]) -> Iterator[tuple[Payload, Payload]]:
    """Yield every interactive element with its block."""
    for block in blocks:
        if block.get("type") == "rich_text":
            continue
        inside: list[Any] = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
        for one in inside:
            if isinstance(one, dict):
                yield block, one


def words(blocks: list[Payload]) -> Iterator[str]:
    """Yield every text to read in the blocks, button labels included."""
    for block in blocks:
        if block.get("type") == "rich_text":
            yield "".join(_rich(block)).strip("\n")
            continue
        for holder in (block, *(block.get("fields") or []), *(one for _, one in elements([block]))):
            yield from _texts(holder)
        if isinstance(block.get("label"), dict):
            yield str(block["label"]["text"])


def _texts(holder: Payload) -> Iterator[str]:
    text = holder.get("text")
    if isinstance(text, dict):
        yield str(text.get("text", ""))
    elif isinstance(text, str):
        yield text


def _rich(block: Payload) -> Iterator[str]:
    """Yield rich text as it reads; people and moments as what stands for them in the text Slack makes of it."""
    for one in block.get("elements") or []:
        match one.get("type"):
            case "text":
                yield str(one["text"])
            case "link":
                yield str(one.get("text") or one["url"])
            case "user":
                yield f"<@{one['user_id']}>"
            case "date":
                yield str(one["fallback"])
            case _:
                yield from _rich(one)
