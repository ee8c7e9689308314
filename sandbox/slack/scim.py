"""SCIM, where the plan has it: reading, deactivating and bringing back members. https://docs.slack.dev/admins/scim-api."""

import json
from dataclasses import dataclass

from aiohttp import web

from sandbox.slack import roster
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.rest import bearer
from sandbox.slack.users import User
from sandbox.slack.workspaces import Workspace
from sandbox.slack.world import World

PREFIX = "/scim"
_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


@dataclass(slots=True)
class Scim:
    """Users by id, for a token with the scope ``admin``."""

    world: World

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.route("*", PREFIX + "/{version:v1|v2}/Users/{id}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        """Read, change or deactivate one member."""
        try:
            workspace = self._admitted(bearer(request.headers))
            user = workspace.users.get(request.match_info["id"])
            if user is None or user.is_bot:
                return _refused(404, "user_not_found")
            return self._do(workspace, user, request.method, await request.read())
        except RefusedError as refused:
            return _refused(refused.status if refused.status != 200 else 403, refused.error)  # noqa: PLR2004 - not an answer here
        except ValueError:
            return _refused(400, "invalid_json")

    def _do(self, workspace: Workspace, user: User, method: str, body: bytes) -> web.Response:
        if method not in {"GET", "PATCH", "DELETE"}:
            return _refused(405, "method_not_allowed")
        active = False if method == "DELETE" else _wanted(json.loads(body or b"{}")) if method == "PATCH" else None
        if active is not None:
            self._set(workspace, user, active=active)
        return web.Response(status=204) if method == "DELETE" else _answered(user)

    def _admitted(self, value: str) -> Workspace:
        try:
            token = self.world.tokens.find(value)
        except RefusedError as refused:
            raise RefusedError(refused.error if value else "not_authed", status=401) from None
        workspace = self.world.workspaces[token.team_id]
        if "admin" not in token.scopes:
            raise RefusedError("missing_scope", status=403)
        if not workspace.plan.has_scim:
            raise RefusedError("feature_not_enabled", status=403)
        if not workspace.users[token.user_id].is_admin:
            raise RefusedError("not_an_admin", status=403)
        return workspace

    def _set(self, workspace: Workspace, user: User, *, active: bool) -> None:
        if user.deleted is not active:
            return
        if not active:
            roster.deactivate(self.world, workspace, user)
        elif user.account is not None:
            roster.join(self.world, workspace, user.account, user.role)


def _wanted(body: Payload) -> bool | None:
    """Return what a PATCH wants ``active`` to be, in the words of either version."""
    if isinstance(body.get("active"), bool):
        return bool(body["active"])
    for one in body.get("Operations") or []:
        value = one.get("value")
        if one.get("path") == "active":
            return str(value).lower() == "true"
        if isinstance(value, dict) and "active" in value:
            return str(value["active"]).lower() == "true"
    return None


def _answered(user: User) -> web.Response:
    first, _, last = user.real_name.partition(" ")
    body = {
        "schemas": [_USER],
        "id": user.id,
        "userName": user.name,
        "name": {"givenName": first, "familyName": last},
        "displayName": user.real_name,
        "emails": [{"value": user.email, "primary": True}],
        "active": not user.deleted,
    }
    return web.json_response(body)


def _refused(status: int, detail: str) -> web.Response:
    return web.json_response({"schemas": [_ERROR], "detail": detail, "status": status}, status=status)
