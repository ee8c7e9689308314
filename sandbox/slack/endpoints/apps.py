from yarl import URL

from sandbox.slack.endpoints.call import Call, Endpoint
from sandbox.slack.errors import Payload


def open_connection(call: Call) -> Payload:
    """Hand out the address of one Socket Mode connection."""
    ticket = call.world.ids.envelope()
    call.world.tickets.add(ticket)
    base = URL(call.world.base_url)
    query = {"ticket": ticket, "app_id": call.world.app.id}
    return {"url": str(base.with_scheme("ws").with_path("/link/").with_query(query))}


ROUTES = (Endpoint("apps.connections.open", "sockets", open_connection, who="app"),)
