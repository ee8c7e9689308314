from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.discord.channels import Channel
from sandbox.discord.drafts import BUTTON, walk
from sandbox.discord.errors import Payload
from sandbox.discord.interactions import DEFER, DEFER_UPDATE, Interaction
from sandbox.discord.messages import Message

if TYPE_CHECKING:
    from sandbox.discord.world import World


@dataclass(slots=True)
class Seen:
    """A message as a person sees it, always as it stands now."""

    message: Message
    channel: Channel

    @property
    def text(self) -> str:
        return self.message.content

    @property
    def words(self) -> str:
        """Everything there is to read: content, embeds, text displays and button labels, a line each."""
        return "\n".join(part for part in self._parts() if part)

    @property
    def embeds(self) -> list[Payload]:
        return self.message.embeds

    @property
    def components(self) -> list[Payload]:
        return self.message.components

    @property
    def flags(self) -> int:
        return self.message.flags

    @property
    def ephemeral(self) -> bool:
        return self.message.is_ephemeral

    @property
    def buttons(self) -> list[Payload]:
        return [one for one in walk(self.message.components) if one["type"] == BUTTON]

    def button(self, which: str) -> Payload:
        """Return the button with this custom id or label; LookupError names those there are."""
        for one in self.buttons:
            if which in {one.get("custom_id"), one.get("label")}:
                return one
        raise LookupError(f"no button {which!r}; there are {[one.get('label') for one in self.buttons]}")

    def link(self, label: str) -> str:
        """Return where the link button with this label leads."""
        return str(self.button(label)["url"])

    def _parts(self) -> Iterator[str | None]:
        yield self.message.content
        for embed in self.message.embeds:
            yield from (embed.get("title"), embed.get("description"))
            for one in embed.get("fields") or []:
                yield from (one["name"], one["value"])
            yield (embed.get("footer") or {}).get("text")
        for one in walk(self.message.components):
            yield one.get("content") or one.get("label")


class Reply(Seen):
    """What the app answered to one interaction; follows a deferred answer to its edit."""

    def __init__(self, world: "World", interaction: Interaction) -> None:
        if interaction.original is None and interaction.modal is None:
            raise LookupError("the app answered without a message")
        super().__init__(interaction.original or Message(0, interaction.channel.id, world.bot, interaction.created_at), interaction.channel)
        self._world = world
        self.interaction = interaction

    @property
    def deferred(self) -> bool:
        """Whether the app asked for time first."""
        return self.interaction.answer in {DEFER, DEFER_UPDATE}

    @property
    def modal(self) -> Payload | None:
        """The form the app opened, if it answered with one."""
        return self.interaction.modal

    @property
    def followups(self) -> list[Seen]:
        return [Seen(message, self.interaction.channel) for message in self.interaction.followups]

    async def next_followup(self, within: float = 10.0) -> Seen:
        """Wait for one more message than there are now."""
        have = len(self.interaction.followups)
        await self._world.changes.when(lambda: len(self.interaction.followups) > have, within)
        return self.followups[have]
