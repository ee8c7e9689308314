"""The pages a person sees: who am I, "may this app …?", an invite, and a server from inside. Plain HTML, no JavaScript."""

from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from yarl import URL

from sandbox.discord import birth, invites, permissions
from sandbox.discord.consent import SCOPE_WORDS, Request, TurnedAwayError, examine
from sandbox.discord.errors import RefusedError
from sandbox.discord.users import User
from sandbox.discord.world import World

_COOKIE = "sandbox_user"


@dataclass(slots=True)
class Pages:
    """Serves the pages. A consent page carries a ticket, so that only a form this server rendered for that person counts."""

    world: World
    _tickets: dict[str, tuple[int, Request]] = field(default_factory=dict)
    _templates: Environment = field(
        default_factory=lambda: Environment(
            loader=FileSystemLoader([Path(__file__).parent / "templates", Path(__file__).parents[1] / "templates"]),
            autoescape=True,
            undefined=StrictUndefined,
        )
    )

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the pages."""
        return [
            web.get("/oauth2/authorize", self.consent),
            web.get("/api/oauth2/authorize", self.consent),
            web.post("/oauth2/authorize", self.decide),
            web.get("/login", self.who),
            web.post("/login", self.login),
            web.get("/invite/{code}", self.invite),
            web.post("/invite/{code}", self.accept),
            web.get("/channels/{guild_id}", self.inside),
            web.get("/channels/{guild_id}/{channel_id}", self.inside),
        ]

    async def consent(self, request: web.Request) -> web.Response:
        """Ask the person whether the app may do what it asks for."""
        try:
            asked = examine(self.world, request.query)
        except TurnedAwayError as turned:
            if turned.redirect is not None:
                raise web.HTTPFound(turned.redirect) from None
            return self._page("problem.html", 400, message=str(turned))
        person = self._person(request)
        if person is None:
            return self._choose(request)
        if request.query.get("prompt") == "none" and not asked.installs and self.world.oauth.has_allowed(person.id, asked.scopes):
            raise web.HTTPFound(self._allow(person, asked))
        ticket = self.world.ids.secret(32)
        self._tickets[ticket] = (person.id, asked)
        servers = [self.world.guilds[one] for one in sorted(person.guilds)]
        response = self._page(
            "consent.html",
            app=self.world.app,
            person=person,
            ticket=ticket,
            here=_here(request),
            asked=asked,
            words=[SCOPE_WORDS[scope] for scope in asked.scopes],
            servers=[one for one in servers if permissions.has(one.permissions_of(person.id), permissions.MANAGE_GUILD)],
        )
        return _remember(response, person)

    async def decide(self, request: web.Request) -> web.Response:
        """Carry out what the person chose on the consent page."""
        form = await request.post()
        user_id, asked = self._tickets.pop(str(form.get("ticket", "")), (0, None))
        person = self._person(request)
        if asked is None or person is None or person.id != user_id:
            return self._page("problem.html", 400, message="This page is out of date. Go back to where you came from and start again.")
        if form.get("decision") != "authorise":
            if not asked.redirect_uri:
                return self._page("done.html", title="Nothing was added", message="You can close this page.")
            raise web.HTTPFound(asked.denied())
        extra: dict[str, str] = {}
        if asked.installs:
            try:
                guild = self.world.guild(int(str(form.get("guild_id") or 0)))
                birth.install_bot(self.world, guild, person.id, asked.permissions)
            except (RefusedError, ValueError):
                return self._page("problem.html", 403, message="Choose a server in which you may add apps (Manage Server).")
            extra = {"guild_id": str(guild.id), "permissions": str(asked.permissions)}
        if asked.redirect_uri:
            raise web.HTTPFound(self._allow(person, asked, extra))
        return self._page("done.html", title="Authorised", message=f"{self.world.app.name} is in the server now.")

    async def who(self, request: web.Request) -> web.Response:
        """Let someone else have the browser."""
        return self._page("choose.html", people=self.world.users.people(), next=request.query.get("next", "/"))

    async def login(self, request: web.Request) -> web.Response:
        """Become the chosen person and go on."""
        form = await request.post()
        person = self.world.users.named(str(form.get("person", "")))
        target = str(form.get("next", ""))
        if person is None or not target.startswith("/") or target.startswith(("//", "/\\")):
            return self._page("problem.html", 400, message="Choose one of the people of this sandbox.")
        return _remember(web.Response(status=303, headers={"Location": target}), person)

    async def invite(self, request: web.Request) -> web.Response:
        """Show an invite."""
        person = self._person(request)
        if person is None:
            return self._choose(request)
        try:
            found = invites.find(self.world, request.match_info["code"])
        except RefusedError:
            return self._page("problem.html", 404, message="This invite may be expired, or you might not have permission to join.")
        guild = self.world.guilds[found.guild_id]
        return _remember(
            self._page("invite.html", guild=guild, inviter=found.inviter, person=person, code=found.code, here=_here(request)), person
        )

    async def accept(self, request: web.Request) -> web.Response:
        """Accept an invite."""
        person = self._person(request)
        if person is None:
            return self._choose(request)
        try:
            guild_id = invites.find(self.world, request.match_info["code"]).guild_id
            invites.accept(self.world, person, request.match_info["code"])
        except RefusedError:
            return self._page("problem.html", 403, message="This invite may be expired, or you might not have permission to join.")
        raise web.HTTPSeeOther(f"/channels/{guild_id}")

    async def inside(self, request: web.Request) -> web.Response:
        """Show a server to someone who is in it."""
        person = self._person(request)
        if person is None:
            return self._choose(request)
        guild_id = request.match_info["guild_id"]
        guild = self.world.guilds.get(int(guild_id)) if guild_id.isascii() and guild_id.isdigit() else None
        if guild is None or person.id not in guild.members:
            return self._page("problem.html", 404, message="You are not in this server. Ask for an invite.")
        roles = [guild.roles[one] for one in guild.members[person.id].roles]
        shown = [one for one in guild.channels.values() if guild.permissions_of(person.id, one) & permissions.VIEW_CHANNEL]
        return _remember(self._page("inside.html", guild=guild, person=person, roles=roles, channels=shown), person)

    def _allow(self, person: User, asked: Request, extra: dict[str, str] | None = None) -> str:
        code = self.world.oauth.grant(person.id, asked.scopes, asked.redirect_uri)
        return asked.allowed(code, extra or {})

    def _person(self, request: web.Request) -> User | None:
        name = request.query.get("as") or request.cookies.get(_COOKIE)
        return self.world.users.named(name) if name else None

    def _choose(self, request: web.Request) -> web.Response:
        return self._page("choose.html", people=self.world.users.people(), next=_here(request))

    def _page(self, template: str, status: int = 200, **values: object) -> web.Response:
        text = self._templates.get_template(template).render(**values)
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def _here(request: web.Request) -> str:
    """Return the page's own address, for coming back to it as someone."""
    return str(URL(request.path_qs).without_query_params("as"))


def _remember(response: web.Response, person: User) -> web.Response:
    response.set_cookie(_COOKIE, person.username, httponly=True, samesite="Lax")
    return response
