from sandbox.discord.endpoints.call import NOTHING, Answer, Call, Endpoint
from sandbox.discord.errors import refuse
from sandbox.discord.shapes import objects


def listing(call: Call) -> Answer:
    """List the commands of a scope."""
    return Answer(payload=call.world.commands.listed(_scope(call)))


def replace(call: Call) -> Answer:
    """Put these commands in place of all others of the scope."""
    scope = _scope(call)
    return Answer(payload=call.world.commands.replace(call.world.ids, call.world.app.id, scope, objects(call.body, "")))


def create(call: Call) -> Answer:
    """Add a command, or replace the one of that name: 201 or 200."""
    made, new = call.world.commands.put(call.world.ids, call.world.app.id, _scope(call), call.fields)
    return Answer(201 if new else 200, made)


def command(call: Call) -> Answer:
    """Show a command."""
    return Answer(payload=call.world.commands.get(_scope(call), call.id("command_id")))


def change(call: Call) -> Answer:
    """Change a command."""
    return Answer(payload=call.world.commands.change(call.world.ids, _scope(call), call.id("command_id"), call.fields))


def delete(call: Call) -> Answer:
    """Remove a command."""
    call.world.commands.delete(_scope(call), call.id("command_id"))
    return NOTHING


def _scope(call: Call) -> int | None:
    if call.id("application_id") != call.world.app.id:
        raise refuse(20012)
    return call.guild.id if "guild_id" in call.path else None


_EVERYWHERE, _IN_GUILD = "/applications/{application_id}/commands", "/applications/{application_id}/guilds/{guild_id}/commands"
ROUTES = tuple(
    route
    for base in (_EVERYWHERE, _IN_GUILD)
    for route in (
        Endpoint("GET", base, listing),
        Endpoint("PUT", base, replace, "commands"),
        Endpoint("POST", base, create, "commands"),
        Endpoint("GET", f"{base}/{{command_id}}", command),
        Endpoint("PATCH", f"{base}/{{command_id}}", change, "commands"),
        Endpoint("DELETE", f"{base}/{{command_id}}", delete, "commands"),
    )
)
