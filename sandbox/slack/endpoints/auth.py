from sandbox.slack import installation
from sandbox.slack.endpoints.call import Call, Endpoint, when
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.oauth import Code
from sandbox.slack.openid import claims, id_token
from sandbox.slack.tokens import Token
from sandbox.slack.workspaces import Enterprise


def test_token(call: Call) -> Payload:
    """Say whose token it is."""
    workspace, user = call.workspace, call.actor
    body: Payload = {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.name,
        "user": user.name,
        "team_id": workspace.id,
        "user_id": user.id,
        "is_enterprise_install": False,
    }
    if user.bot_id is not None:
        body["bot_id"] = user.bot_id
    if workspace.enterprise is not None:
        body["enterprise_id"] = workspace.enterprise.id
    return body


def echo(call: Call) -> Payload:
    """Answer with what was sent."""
    if "error" in call.args:
        raise RefusedError(call.text("error"), args=call.args)
    return {"args": call.args}


def revoke(call: Call) -> Payload:
    """Revoke the token of this very call."""
    if call.flag("test"):
        return {"revoked": False}
    installation.revoke(call.world, call.workspace, call.granted)
    return {"revoked": True}


def uninstall(call: Call) -> Payload:
    """Take the app out of the workspace."""
    check_client(call)
    installation.uninstall(call.world, call.workspace)
    return {}


def access(call: Call) -> Payload:
    """Exchange a code of the install page, or a refresh token."""
    check_client(call)
    if call.text("grant_type", "authorization_code") == "refresh_token":
        return _refreshed(call, call.world.tokens.refresh(call.text("refresh_token")))
    code = call.world.codes.take(call.text("code"), call.args.get("redirect_uri"), openid=False)
    return _installed(call, code)


def exchange(call: Call) -> Payload:
    """Exchange a token that lives for ever for one that rotates."""
    check_client(call)
    when(not call.world.app.token_rotation, "token_rotation_not_enabled")
    return _refreshed(call, call.world.tokens.exchange(call.text("token")))


def openid_token(call: Call) -> Payload:
    """Exchange a code of Sign in with Slack."""
    check_client(call)
    code = call.world.codes.take(call.text("code"), call.args.get("redirect_uri"), openid=True)
    workspace = call.world.workspaces[code.team_id]
    user = workspace.users[code.user_id]
    token = installation.allow(call.world, workspace, user, code.user_scopes, rotating=False)
    signed = id_token(call.world, claims(workspace, user, token.scopes), code.nonce)
    return {"access_token": token.value, "token_type": "Bearer", "id_token": signed}


def user_info(call: Call) -> Payload:
    """Say who signed in."""
    return claims(call.workspace, call.actor, call.granted.scopes)


def check_client(call: Call) -> None:
    """Refuse who does not know the app's client id and secret."""
    when(call.args.get("client_id") != call.world.app.client_id, "invalid_client_id")
    when(call.args.get("client_secret") != call.world.app.client_secret, "bad_client_secret")


def teams(call: Call) -> Payload:
    """List the workspaces the token's app is in."""
    mine = call.workspace
    found = [
        one
        for one in call.world.workspaces.values()
        if one.installed and (one is mine or (one.enterprise and one.enterprise is mine.enterprise))
    ]
    page, after = call.page(found)
    return {"teams": [{"id": one.id, "name": one.name} for one in page], **after}


def _installed_everywhere(call: Call, code: Code, enterprise: Enterprise) -> Payload:
    token = installation.install_everywhere(call.world, enterprise, code.user_id, code.bot_scopes)
    return {
        "app_id": call.world.app.id,
        "authed_user": {"id": code.user_id},
        "scope": _scope(token),
        "token_type": "bot",
        "bot_user_id": token.user_id,
        **_secrets(call, token),
        "team": None,
        "enterprise": {"id": enterprise.id, "name": enterprise.name},
        "is_enterprise_install": True,
    }


def _installed(call: Call, code: Code) -> Payload:
    enterprise = call.world.organisation(code.team_id)
    if enterprise is not None:
        return _installed_everywhere(call, code, enterprise)
    world, workspace = call.world, call.world.workspaces[code.team_id]
    user = workspace.users[code.user_id]
    body: Payload = {"app_id": world.app.id, "authed_user": {"id": user.id}}
    if code.bot_scopes:
        token = installation.install(world, workspace, user, code.bot_scopes)
        body |= {"scope": _scope(token), "token_type": "bot", "bot_user_id": token.user_id, **_secrets(call, token)}
    if code.user_scopes:
        person = installation.allow(world, workspace, user, code.user_scopes, rotating=world.app.token_rotation)
        body["authed_user"] |= {"scope": _scope(person), "token_type": "user", **_secrets(call, person)}
    return body | _where(call, workspace.id)


def _refreshed(call: Call, token: Token) -> Payload:
    body = {"app_id": call.world.app.id, "scope": _scope(token), "token_type": "bot" if token.bot else "user"}
    named = {"bot_user_id": token.user_id} if token.bot else {"user_id": token.user_id}
    return {**body, **named, **_secrets(call, token), **_where(call, token.team_id)}


def _where(call: Call, team_id: str) -> Payload:
    workspace = call.world.workspaces[team_id]
    enterprise = workspace.enterprise
    return {
        "team": {"id": workspace.id, "name": workspace.name},
        "enterprise": {"id": enterprise.id, "name": enterprise.name} if enterprise else None,
        "is_enterprise_install": False,
    }


def _secrets(call: Call, token: Token) -> Payload:
    body: Payload = {"access_token": token.value}
    if token.expires_at is not None:
        left = int((token.expires_at - call.world.clock.now()).total_seconds())
        body |= {"refresh_token": token.refresh_token, "expires_in": left}
    return body


def _scope(token: Token) -> str:
    return ",".join(sorted(token.scopes))


ROUTES = (
    Endpoint("api.test", "4", echo, who="anyone"),
    Endpoint("auth.test", "auth", test_token),
    Endpoint("auth.teams.list", "2", teams),
    Endpoint("auth.revoke", "3", revoke),
    Endpoint("apps.uninstall", "1", uninstall),
    Endpoint("oauth.v2.access", "4", access, who="client"),
    Endpoint("oauth.v2.exchange", "4", exchange, who="client"),
    Endpoint("openid.connect.token", "4", openid_token, who="client"),
    Endpoint("openid.connect.userInfo", "4", user_info, ("openid",), people_only=True),
)
