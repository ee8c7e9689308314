"""A person of the sandbox: what they do in Discord's client, and what they see there."""

from collections.abc import Mapping

from sandbox.discord import browser, interactions, invites, members, messages, permissions
from sandbox.discord.channels import Channel, conversation
from sandbox.discord.commands import CHAT, MESSAGE_MENU, USER_MENU
from sandbox.discord.drafts import Draft
from sandbox.discord.errors import Payload
from sandbox.discord.forms import filled
from sandbox.discord.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, FORM, Interaction
from sandbox.discord.permissions import has
from sandbox.discord.replies import Reply, Seen
from sandbox.discord.servers import Server
from sandbox.discord.typed import CannotError, Typed
from sandbox.discord.users import User
from sandbox.discord.world import World

WITHIN = 10.0
"""Real seconds a person waits for an answer unless told otherwise."""


class NoAnswerError(Exception):
    """The app did not answer, or did not finish what it deferred."""


class Person:
    """Someone with an account. ``within`` is how long (real seconds) they wait for the app."""

    def __init__(self, world: World, user: User) -> None:
        self._world = world
        self.user = user
        self._read = 0

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def name(self) -> str:
        return self.user.username

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    # commands, buttons, forms

    async def command(
        self, server: Server | None, words: str, *, typed_in: Channel | None = None, within: float = WITHIN, **options: object
    ) -> Reply:
        """Type ``/words`` with ``options`` (roles, channels and people as themselves or by name) and wait for the answer.

        ``server`` None: in the direct conversation with the bot; ``typed_in`` is a channel of the server. Raises CannotError for what the
        client would not let them send, NoAnswerError when no answer comes.
        """
        return await self.type(server, words, options, self._place(server, typed_in), within)

    async def type(
        self, server: Server | None, words: str, options: Mapping[str, object], place: Channel | None = None, within: float = WITHIN
    ) -> Reply:
        """Do as :meth:`command` does, with whatever names the options have."""
        place = place or self._place(server, None)
        data = Typed(self._world, server.guild if server else None).data(words, options)
        self._may(server, place, words.split(maxsplit=1)[0], CHAT)
        return await self._answered(interactions.start(self._world, COMMAND, self.user, place, data), within)

    async def suggestions(self, server: Server, words: str, option: str, typed: str, **options: object) -> list[Payload]:
        """Type ``typed`` into an option that completes itself and return the choices offered."""
        data = Typed(self._world, server.guild).data(words, {**options, option: typed}, focused=option)
        one = interactions.start(self._world, AUTOCOMPLETE, self.user, self._place(server, None), data)
        await self._settled(one, WITHIN)
        return one.choices or []

    async def use_on_person(self, server: Server, name: str, target: "Person", *, within: float = WITHIN) -> Reply:
        """Use an app's entry in a person's context menu."""
        command = self._menu(server, name, USER_MENU)
        typed = Typed(self._world, server.guild)
        typed.add_user(target.user)
        return await self._use(server, typed.menu(command, target.id), within)

    async def use_on_message(self, server: Server, name: str, target: Seen, *, within: float = WITHIN) -> Reply:
        """Use an app's entry in a message's context menu."""
        command = self._menu(server, name, MESSAGE_MENU)
        typed = Typed(self._world, server.guild)
        typed.resolved["messages"] = {str(target.message.id): target.message.payload()}
        return await self._use(server, typed.menu(command, target.message.id), within)

    async def click(self, seen: Seen, button: str, *, within: float = WITHIN) -> Reply:
        """Press the button with this custom id or label."""
        found = seen.button(button)
        if found.get("disabled") or "custom_id" not in found:
            raise CannotError(f"the button {button!r} cannot be pressed: it is {'a link' if found.get('url') else 'disabled'}")
        return await self._press(seen, {"custom_id": found["custom_id"], "component_type": 2}, within)

    async def select(self, seen: Seen, custom_id: str, *values: str, within: float = WITHIN) -> Reply:
        """Choose ``values`` in a select menu of strings."""
        return await self._press(seen, {"custom_id": custom_id, "component_type": 3, "values": list(values)}, within)

    async def submit(self, reply: Reply, values: Mapping[str, str], *, within: float = WITHIN) -> Reply:
        """Fill in the form ``reply`` opened (custom id of a field to text) and send it."""
        if reply.modal is None:
            raise CannotError("there is no form to fill in")
        data = {"custom_id": reply.modal["custom_id"], "components": filled(reply.modal["components"], dict(values))}
        asked = reply.interaction
        one = interactions.start(self._world, FORM, self.user, asked.channel, data, asked.source)
        return await self._answered(one, within)

    # coming and going

    def join(self, server: Server, code: str) -> None:
        """Accept an invite (its code or link) to the server; RefusedError when it does not let them in."""
        code = code.rsplit("/", 1)[-1]
        if invites.find(self._world, code).guild_id != server.id:
            raise CannotError(f"the invite {code} leads to another server")
        invites.accept(self._world, self.user, code)

    def leave(self, server: Server) -> None:
        """Leave the server."""
        members.remove(self._world, server.guild, self.id)

    async def authorize(self, url: str, *, allow: bool = True) -> str:
        """Open an OAuth2 link in a browser, decide, and return the address it leads to (with code and state)."""
        return await browser.authorize(url, self.name, allow=allow)

    def withdraw(self) -> None:
        """Take back everything they allowed our app."""
        self._world.oauth.withdraw(self.id)

    # messages

    def close_dms(self) -> None:
        """Let no app write to them."""
        self.user.dms_open = False

    def open_dms(self) -> None:
        """Let apps write to them again."""
        self.user.dms_open = True

    def say(self, server: Server, text: str, channel: str = "general") -> Seen:
        """Write in a channel."""
        place = server.channel(channel)
        return Seen(messages.post(self._world, self.user, place, Draft(text)), place)

    def inbox(self) -> list[Seen]:
        """Return what the bot wrote to them directly, oldest first."""
        if self.user.dm_channel is None:
            return []
        channel = self._world.channels[self.user.dm_channel]
        return [Seen(one, channel) for one in channel.messages.values() if one.author.bot and not one.interaction]

    async def next_dm(self, within: float = WITHIN) -> Seen:
        """Return the oldest direct message they have not read this way yet, waiting for it if need be."""
        await self._world.changes.when(lambda: len(self.inbox()) > self._read, within)
        self._read += 1
        return self.inbox()[self._read - 1]

    # inside

    def _place(self, server: Server | None, channel: Channel | None) -> Channel:
        if server is None:
            return conversation(self._world, self.user)
        if self.id not in server.guild.members:
            raise CannotError(f"@{self.name} is not in {server.name}")
        return channel or server.channel()

    def _may(self, server: Server | None, place: Channel, name: str, kind: int) -> Payload:
        command = self._world.commands.find(server.id if server else None, name, kind)
        if command is None or (command["contexts"] is not None and (0 if server else 1) not in command["contexts"]):
            raise CannotError(f"there is no command {name!r} here")
        if server is None:
            return command
        if self._world.bot.id not in server.guild.members:
            raise CannotError(f"the app is not in {server.name}")
        held, wanted = server.guild.permissions_of(self.id, place), command["default_member_permissions"]
        needed = permissions.USE_APPLICATION_COMMANDS | (int(wanted) or permissions.ADMINISTRATOR if wanted is not None else 0)
        if not has(held, needed):
            raise CannotError(f"@{self.name} may not use {name!r} in {server.name}")
        return command

    def _menu(self, server: Server, name: str, kind: int) -> Payload:
        return self._may(server, self._place(server, None), name, kind)

    async def _use(self, server: Server, data: Payload, within: float) -> Reply:
        return await self._answered(interactions.start(self._world, COMMAND, self.user, self._place(server, None), data), within)

    async def _press(self, seen: Seen, data: Payload, within: float) -> Reply:
        one = interactions.start(self._world, COMPONENT, self.user, seen.channel, data, seen.message)
        return await self._answered(one, within)

    async def _answered(self, one: Interaction, within: float) -> Reply:
        await self._settled(one, within)
        return Reply(self._world, one)

    async def _settled(self, one: Interaction, within: float) -> None:
        try:
            await self._world.changes.when(lambda: one.settled, within)
        except TimeoutError:
            what = "did not respond" if one.answer is None else "asked for time and never came back"
            raise NoAnswerError(f"the application {what} within {within} s") from None
