"""Messages to people and channels."""

from collections import OrderedDict
from dataclasses import replace

from adapters.slack import render
from adapters.slack.client import Slack
from adapters.slack.people import People
from core.commands import CommandReply
from core.errors import MemberUnreachable
from core.platform import Channel, Destination, Message, MessageRef, Person, Space
from core.text import Bold, Mention, Span

_REMEMBERED = 10_000


class Mail:
    """Sends and edits. A reference holds ``channel/ts``: a direct message is in a conversation of its own."""

    def __init__(self, slack: Slack, people: People, command: str) -> None:
        self._slack, self._people, self._command = slack, people, command
        self._opened: OrderedDict[Person, str] = OrderedDict()

    async def send(self, to: Destination, message: Message) -> MessageRef:
        body = render.message(await self._quiet(to, message), self._command)
        return MessageRef(to, await self._post(to.space, await self._place(to), body))

    async def send_reply(self, to: Person, reply: CommandReply) -> None:
        """Say by direct message what could not be answered where it was asked."""
        await self._post(to.space, await self._place(to), render.reply(reply, self._command))

    async def edit(self, ref: MessageRef, message: Message) -> None:
        channel, _, ts = ref.external_id.partition("/")
        body = render.message(await self._quiet(ref.destination, message), self._command)
        await self._slack.call(ref.destination.space, "chat.update", channel=channel, ts=ts, **body)

    async def _place(self, to: Destination) -> str:
        match to:
            case Channel():
                return to.external_id
            case Person():
                return self._opened.get(to) or await self._open(to)

    async def _open(self, to: Person) -> str:
        """Return the conversation with somebody. It never changes, so it is remembered."""
        answer = await self._slack.call(to.space, "conversations.open", users=to.user)
        while len(self._opened) >= _REMEMBERED:
            self._opened.popitem(last=False)
        self._opened[to] = str(answer["channel"]["id"])
        return self._opened[to]

    async def _post(self, space: Space, channel: str, body: render.Body) -> str:
        sent = await self._slack.call(space, "chat.postMessage", channel=channel, unfurl_links=False, unfurl_media=False, **body)
        return f"{sent['channel']}/{sent['ts']}"

    async def _quiet(self, to: Destination, message: Message) -> Message:
        """In a channel a mention would call the person there, so their name stands for them; with us alone it calls nobody."""
        if isinstance(to, Person):
            return message
        return replace(message, body=tuple([await self._named(to.space, span) for span in message.body]))

    async def _named(self, space: Space, span: Span) -> Span:
        if not isinstance(span, Mention):
            return span
        try:
            return Bold((await self._people.of(space, span.user)).name)
        except MemberUnreachable:
            return Bold(self._people.known(span.user))
