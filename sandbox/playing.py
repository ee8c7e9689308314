"""The people of the sandbox, over HTTP: whoever can send a request can play all of them."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from pydantic import Field

from sandbox.asking import Asked, answer, read, refuse
from sandbox.cast import CANNOT, Cast, Player, Refused
from sandbox.discord.people import Server
from sandbox.discord.replies import Seen
from sandbox.stripe.people import GOOD_CARD

Json = dict[str, object]
Handler = Callable[[web.Request], Awaitable[Json]]


class NewPerson(Asked):
    """Somebody to bring in."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.]{2,32}$")


class NewServer(Asked):
    """A server to make; the first role is lowest."""

    name: str = Field(min_length=2, max_length=100)
    owner: str
    roles: list[str] = Field(default=[], max_length=50)


class Command(Asked):
    """What to type, and where; without a server it is the direct conversation with the bot."""

    words: str = Field(min_length=1)
    server: str | None = None
    options: dict[str, str | int | float | bool] = Field(default={})


class Button(Asked):
    """A button, by its label."""

    button: str = Field(min_length=1)


class Address(Asked):
    """A page to open; browsers here go no further than this machine."""

    url: str = Field(pattern=r"^http://127\.0\.0\.1[:/]")


class Card(Asked):
    """What to pay with."""

    card: str = GOOD_CARD


class Visit(Asked):
    """A server to come to or go from."""

    server: str


class Playing:
    """Routes over the cast. Answers say what the person then sees; what cannot be done is refused with 409 and a sentence."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to serve."""
        return [
            web.get("/people/{person}", _answer(self._look)),
            web.get("/servers", _answer(self._servers)),
            web.post("/people", _answer(self._add_person)),
            web.post("/servers", _answer(self._add_server)),
            web.post("/servers/{server}/bot", _answer(self._add_bot)),
            web.post("/people/{person}/command", _answer(self._command)),
            web.post("/people/{person}/click", _answer(self._click)),
            web.post("/people/{person}/open", _answer(self._open)),
            web.post("/people/{person}/press", _answer(self._press)),
            web.post("/people/{person}/pay", _answer(self._pay)),
            web.post("/people/{person}/join", _answer(self._join)),
            web.post("/people/{person}/leave", _answer(self._leave)),
        ]

    async def _player(self, request: web.Request) -> Player:
        return await self._cast.person(request.match_info["person"])

    async def _look(self, request: web.Request) -> Json:
        player = await self._player(request)
        inside = {server.name: _inside(server, player) for server in self._cast.servers() if server.has(player.person)}
        return {"name": player.person.name, "servers": inside, "inbox": [_seen(one) for one in player.person.inbox()]}

    async def _servers(self, _request: web.Request) -> Json:
        return {"servers": [self._server(server) for server in self._cast.servers()]}

    async def _add_person(self, request: web.Request) -> Json:
        player = await self._cast.add_person(read(NewPerson, await request.read()).name)
        return {"name": player.person.name}

    async def _add_server(self, request: web.Request) -> Json:
        asked = read(NewServer, await request.read())
        return self._server(self._cast.add_server(await self._cast.person(asked.owner), asked.name, asked.roles))

    async def _add_bot(self, request: web.Request) -> Json:
        server = self._cast.server(request.match_info["server"])
        await self._cast.add_bot(server)
        return self._server(server)

    async def _command(self, request: web.Request) -> Json:
        asked, player = read(Command, await request.read()), await self._player(request)
        server = None if asked.server is None else self._cast.server(asked.server)
        return _seen(await player.command(server, asked.words.removeprefix("/"), asked.options))

    async def _click(self, request: web.Request) -> Json:
        asked, player = read(Button, await request.read()), await self._player(request)
        return _seen(await player.click(asked.button))

    async def _open(self, request: web.Request) -> Json:
        asked, player = read(Address, await request.read()), await self._player(request)
        await player.go(asked.url)
        return _page(player)

    async def _press(self, request: web.Request) -> Json:
        asked, player = read(Button, await request.read()), await self._player(request)
        await player.press(asked.button)
        return _page(player)

    async def _pay(self, request: web.Request) -> Json:
        asked, player = read(Card, await request.read()), await self._player(request)
        try:
            await player.pay_here(asked.card)
        except Refused as told:
            return {"paid": False, "says": str(told)}
        return {"paid": True, **_page(player)}

    async def _join(self, request: web.Request) -> Json:
        asked, player = read(Visit, await request.read()), await self._player(request)
        server = self._cast.server(asked.server)
        player.person.join(server, server.invite())
        return _inside(server, player)

    async def _leave(self, request: web.Request) -> Json:
        asked, player = read(Visit, await request.read()), await self._player(request)
        player.person.leave(self._cast.server(asked.server))
        return await self._look(request)

    def _server(self, server: Server) -> Json:
        roles = [role.name for role in server.guild.roles.values() if role.id != server.id]
        members = [member.user.username for member in server.guild.members.values()]
        return {"name": server.name, "roles": roles, "members": members, "bot": self._cast.has_bot(server)}


def _answer(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answering(request: web.Request) -> web.Response:
        try:
            told = await handler(request)
        except CANNOT as error:
            refuse(f"{error}.", status=web.HTTPConflict)
        return answer(told)

    return answering


def _seen(seen: Seen) -> Json:
    buttons = [{key: one[key] for key in ("label", "url") if one.get(key)} for one in seen.buttons]
    return {"text": seen.words, "buttons": buttons, "only_you": seen.ephemeral}


def _inside(server: Server, player: Player) -> Json:
    messages = [{"from": seen.message.author.username, "text": seen.words} for seen in server.messages()]
    return {"roles": sorted(server.roles_of(player.person)), "messages": messages}


def _page(player: Player) -> Json:
    browser = player.browser
    return {"url": str(browser.url), "status": browser.status, "text": browser.text, "buttons": browser.buttons, "links": browser.links}
