"""The pages a person sees: who am I, "may this app …?", an invite link, and a workspace from inside. Plain HTML, no JavaScript."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from yarl import URL

from sandbox.slack import installation, openid, roster, sight
from sandbox.slack.consent import Request, TurnedAwayError, examine
from sandbox.slack.errors import RefusedError
from sandbox.slack.oauth import Code
from sandbox.slack.replies import Sight
from sandbox.slack.users import Account
from sandbox.slack.workspaces import Enterprise, Workspace
from sandbox.slack.world import World

COOKIE = "sandbox_slack_person"


@dataclass(slots=True)
class Pages:
    """Serves the pages. A consent page carries a ticket, so that only a form this server rendered for that person counts."""

    world: World
    _tickets: dict[str, tuple[str, Request]] = field(default_factory=dict)
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
            web.get("/oauth/v2/authorize", self.install),
            web.get("/openid/connect/authorize", self.sign_in),
            web.post("/oauth/authorize", self.decide),
            web.get("/openid/connect/keys", self.keys),
            web.get("/.well-known/openid-configuration", self.discovery),
            web.get("/login", self.who),
            web.post("/login", self.login),
            web.get("/join/{code}", self.invite),
            web.post("/join/{code}", self.accept),
            web.get("/client/{team_id}", self.inside),
        ]

    async def install(self, request: web.Request) -> web.Response:
        """Ask whether the app may come into a workspace."""
        return self._consent(request, openid_asked=False)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Ask whether the app may know who somebody is."""
        return self._consent(request, openid_asked=True)

    async def decide(self, request: web.Request) -> web.Response:
        """Carry out what the person chose on either page."""
        form = await request.post()
        name, asked = self._tickets.pop(str(form.get("ticket", "")), ("", None))
        person = self._person(request)
        if asked is None or person is None or person.name != name:
            return self._problem("This page is out of date. Go back to where you came from and start again.")
        if form.get("decision") != "allow":
            raise web.HTTPFound(asked.back(error="access_denied"))
        enterprise = self.world.organisation(str(form.get("team_id"))) if asked.bot_scopes and self.world.app.organisation else None
        if enterprise is not None:
            raise web.HTTPFound(asked.back(code=self.world.codes.grant(self._for_all(asked, person, enterprise))))
        workspace = self.world.workspaces.get(str(form.get("team_id")))
        user = workspace.user_of(person) if workspace else None
        if workspace is None or user is None or user.deleted or (asked.bot_scopes and not installation.may_install(workspace, user)):
            return self._problem("Choose a workspace you are in and may add apps to.", 403)
        code = Code(
            workspace.id,
            user.id,
            frozenset(asked.bot_scopes),
            frozenset(asked.user_scopes),
            asked.redirect_uri,
            self.world.codes.expiry(),
            asked.openid,
            asked.nonce,
        )
        raise web.HTTPFound(asked.back(code=self.world.codes.grant(code)))

    async def keys(self, _request: web.Request) -> web.Response:
        """Show the key that id tokens are signed with."""
        return web.json_response(openid.keys())

    async def discovery(self, _request: web.Request) -> web.Response:
        """Describe the sign-in."""
        return web.json_response(openid.discovery(self.world.base_url))

    async def who(self, request: web.Request) -> web.Response:
        """Let someone else have the browser."""
        return self._page("choose.html", people=list(self.world.accounts.values()), next=request.query.get("next", "/"))

    async def login(self, request: web.Request) -> web.Response:
        """Become the chosen person and go on."""
        form = await request.post()
        person = self.world.accounts.get(str(form.get("person", "")))
        target = str(form.get("next", ""))
        if person is None or not target.startswith("/") or target.startswith(("//", "/\\")):
            return self._problem("Choose one of the people of this sandbox.")
        return _remember(web.Response(status=303, headers={"Location": target}), person)

    async def invite(self, request: web.Request) -> web.Response:
        """Show a shared invite link."""
        person = self._person(request)
        if person is None:
            return self._choose(request)
        found = self.world.link(request.match_info["code"])
        if found is None or not found[0].links[found[1]].open(self.world.clock.now()):
            return self._problem("This link is no longer active. Ask for a new one.", 404)
        return _remember(self._page("join.html", workspace=found[0], person=person, code=found[1], here=_here(request)), person)

    async def accept(self, request: web.Request) -> web.Response:
        """Join through a shared invite link."""
        person = self._person(request)
        if person is None:
            return self._choose(request)
        try:
            workspace = roster.accept_link(self.world, request.match_info["code"], person)
        except RefusedError:
            return self._problem("This link is no longer active, or your account here was deactivated.", 403)
        raise web.HTTPSeeOther(f"/client/{workspace.id}")

    async def inside(self, request: web.Request) -> web.Response:
        """Show a workspace to someone who is in it."""
        person = self._person(request)
        if person is None:
            return self._choose(request)
        workspace = self.world.workspaces.get(request.match_info["team_id"])
        user = workspace.user_of(person) if workspace else None
        if workspace is None or user is None or user.deleted:
            return self._problem("You are not in this workspace. Ask for an invitation.", 404)
        channels = sight.channels(workspace, user)
        groups = [one for one in workspace.groups.values() if user.id in one.users and one.disabled is None]
        home = self.world.homes.get((workspace.id, user.id))
        lines = Sight(home).words.splitlines() if home else []
        shown: dict[str, Any] = {"channels": channels, "groups": groups, "app": self.world.app, "home": lines}
        return _remember(self._page("inside.html", workspace=workspace, person=person, **shown), person)

    def _consent(self, request: web.Request, *, openid_asked: bool) -> web.Response:
        try:
            asked = examine(self.world, request.query, openid=openid_asked)
        except TurnedAwayError as turned:
            return self._problem(str(turned))
        person = self._person(request)
        if person is None:
            return self._choose(request)
        ticket = self.world.ids.secret(32)
        self._tickets[ticket] = (person.name, asked)
        choices = self._choices(person, installs=bool(asked.bot_scopes))
        picked = next((one for one in choices if asked.team == one.id), None) or (choices[0] if choices else None)
        response = self._page(
            "consent.html",
            app=self.world.app,
            person=person,
            ticket=ticket,
            here=_here(request),
            asked=asked,
            workspaces=choices,
            picked=picked,
        )
        return _remember(response, person)

    def _for_all(self, asked: Request, person: Account, enterprise: Enterprise) -> Code:
        """Return what somebody allowed for their whole organisation; what they run of it, is seen when the code is exchanged."""
        users = [one.user_of(person) for one in self.world.workspaces.values() if one.enterprise is enterprise]
        user_id = next((user.id for user in users if user is not None), "")
        bot, people = frozenset(asked.bot_scopes), frozenset(asked.user_scopes)
        return Code(enterprise.id, user_id, bot, people, asked.redirect_uri, self.world.codes.expiry())

    def _choices(self, person: Account, *, installs: bool) -> list[Workspace]:
        found = [(one, one.user_of(person)) for one in self.world.workspaces.values()]
        return [
            one for one, user in found if user is not None and not user.deleted and (not installs or installation.may_install(one, user))
        ]

    def _person(self, request: web.Request) -> Account | None:
        return self.world.accounts.get(request.query.get("as") or request.cookies.get(COOKIE) or "")

    def _choose(self, request: web.Request) -> web.Response:
        return self._page("choose.html", people=list(self.world.accounts.values()), next=_here(request))

    def _problem(self, message: str, status: int = 400) -> web.Response:
        return self._page("problem.html", status, message=message)

    def _page(self, template: str, status: int = 200, **values: object) -> web.Response:
        text = self._templates.get_template(template).render(**values)
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def _here(request: web.Request) -> str:
    """Return the page's own address, for coming back to it as someone."""
    return str(URL(request.path_qs).without_query_params("as"))


def _remember(response: web.Response, person: Account) -> web.Response:
    response.set_cookie(COOKIE, person.name, httponly=True, samesite="Lax")
    return response
