from dataclasses import dataclass, field

from sandbox.slack.ids import Ids
from sandbox.slack.manifest import Manifest


@dataclass(slots=True)
class App:
    """Our app as its configuration pages have it; everything may be changed while it runs.

    ``request_url`` takes events, commands and interactions; with ``socket_mode`` they all go to the sockets instead.
    """

    id: str
    name: str
    client_id: str
    client_secret: str
    signing_secret: str
    verification_token: str
    app_token: str
    bot_scopes: frozenset[str]
    user_scopes: frozenset[str]
    events: frozenset[str]
    commands: frozenset[str] | None
    escaped: frozenset[str]
    messages_tab: bool
    socket_mode: bool
    token_rotation: bool
    organisation: bool
    request_url: str | None = None
    redirect_uris: list[str] = field(default_factory=list)


def register(ids: Ids, manifest: Manifest) -> App:
    """Make the app with fresh secrets."""
    app_id = ids.id("A")
    return App(
        id=app_id,
        name=manifest.name,
        client_id=f"{ids.digits()}.{ids.digits()}",
        client_secret=ids.hexadecimal(),
        signing_secret=ids.hexadecimal(),
        verification_token=ids.secret(),
        app_token=f"xapp-1-{app_id}-{ids.digits()}-{ids.hexadecimal(64)}",
        bot_scopes=manifest.bot_scopes,
        user_scopes=manifest.user_scopes,
        events=manifest.events,
        commands=manifest.commands,
        escaped=manifest.escaped,
        messages_tab=manifest.messages_tab,
        socket_mode=manifest.socket_mode,
        token_rotation=manifest.token_rotation,
        organisation=manifest.organisation,
        redirect_uris=list(manifest.redirect_uris),
    )
