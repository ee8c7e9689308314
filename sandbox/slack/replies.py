from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.slack.errors import Payload
from sandbox.slack.interactions import Interaction
from sandbox.slack.messages import Message, elements, words
from sandbox.slack.pings import pings
from sandbox.slack.views import View

if TYPE_CHECKING:
    from sandbox.slack.world import World


class Shown(ABC):
    """Blocks as a person sees them: words to read, buttons to press."""

    @property
    @abstractmethod
    def blocks(self) -> list[Payload]:
        """What is shown, as the app sent it."""

    @property
    def words(self) -> str:
        """Everything there is to read, a line each."""
        return "\n".join(self._lines())

    @property
    def buttons(self) -> list[Payload]:
        return [one for _, one in elements(self.blocks) if one.get("type") == "button"]

    def button(self, which: str) -> Payload:
        """Return the button with this label or action id; LookupError names those there are."""
        return self.find(which)[1]

    def find(self, which: str) -> tuple[Payload, Payload]:
        """Return the block and the element with this label or action id."""
        for block, one in elements(self.blocks):
            label = one.get("text", {}).get("text") if isinstance(one.get("text"), dict) else None
            if which in {one.get("action_id"), label}:
                return block, one
        raise LookupError(f"no button {which!r}; there are {[one['text']['text'] for one in self.buttons]}")

    def link(self, label: str) -> str:
        """Return where the button with this label leads."""
        return str(self.button(label)["url"])

    def _lines(self) -> Iterator[str]:
        yield from words(self.blocks)


@dataclass(slots=True)
class Seen(Shown):
    """A message as a person sees it, always as it stands now. With blocks, ``text`` is only what notifications show."""

    message: Message

    @property
    def text(self) -> str:
        return self.message.text

    @property
    def blocks(self) -> list[Payload]:
        return self.message.blocks

    @property
    def pings(self) -> list[str]:
        """Who or what the message calls by name: user ids, ``channel``, ``here``, ``everyone``, user group ids."""
        return pings(self.message)

    @property
    def ephemeral(self) -> bool:
        return self.message.to is not None

    def _lines(self) -> Iterator[str]:
        if self.message.blocks:
            yield from words(self.message.blocks)
        else:
            yield self.message.text


@dataclass(slots=True)
class Sight(Shown):
    """A modal or an App Home as a person sees it."""

    view: View

    @property
    def title(self) -> str:
        return str((self.view.body.get("title") or {}).get("text", ""))

    @property
    def blocks(self) -> list[Payload]:
        return self.view.blocks

    @property
    def closed(self) -> bool:
        return self.view.closed


class Reply(Seen):
    """What the app answered to a command or a pressed button: the first message, or the form it opened (``modal``), or both."""

    def __init__(self, world: "World", interaction: Interaction) -> None:
        one = interaction
        message = one.said[0] if one.said else one.source
        channel_id = one.channel.id if one.channel else ""
        super().__init__(message or Message("", one.workspace.id, channel_id, "", "", to=one.user.id))
        self._world = world
        self.interaction = interaction

    @property
    def modal(self) -> Sight | None:
        """The form the app opened, if it did."""
        return Sight(self.interaction.opened) if self.interaction.opened else None

    @property
    def followups(self) -> list[Seen]:
        """Every message after the first."""
        return [Seen(one) for one in self.interaction.said[1:]]

    async def next_followup(self, within: float = 10.0) -> Seen:
        """Wait for one more message than there are now."""
        have = len(self.interaction.said)
        await self._world.changes.when(lambda: len(self.interaction.said) > have, within)
        return Seen(self.interaction.said[have])


class Submitted:
    """What became of a form: ``errors`` (block id to sentence) and it stays, or it closed, or another ``modal`` came."""

    def __init__(self, world: "World", interaction: Interaction) -> None:
        self._world = world
        self.interaction = interaction

    @property
    def errors(self) -> dict[str, str]:
        return dict(self.interaction.result.get("errors") or {})

    @property
    def modal(self) -> Sight | None:
        return Sight(self.interaction.opened) if self.interaction.opened else None

    @property
    def closed(self) -> bool:
        return self.interaction.view is None or self.interaction.view.closed

    async def reply(self, within: float = 10.0) -> Seen:
        """Wait for the message that answers: a whisper, or a direct message."""
        await self._world.changes.when(self._said, within)
        return Seen(self._said()[0])

    def _said(self) -> list[Message]:
        one = self.interaction
        talk = one.workspace.direct_with(one.user.id)
        later = float(one.action_ts)
        direct = [said for said in talk.messages.values() if said.bot and float(said.ts) > later] if talk else []
        return one.said + direct
