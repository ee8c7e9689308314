from sandbox.discord import invites, permissions
from sandbox.discord.endpoints.call import NOTHING, Answer, Call, Endpoint, Who
from sandbox.discord.endpoints.channels import seen
from sandbox.discord.errors import RefusedError, invalid, refuse
from sandbox.discord.ids import wire_time
from sandbox.discord.invites import Invite, Terms
from sandbox.discord.shapes import listed, number, snowflake

LONGEST = 5_184_000
"""Seconds an invite can live: 60 days."""


def create(call: Call) -> Answer:
    """Make an invite; a CSV file of user ids in ``target_users_file`` keeps everyone else out."""
    channel, fields = seen(call), call.fields
    terms = Terms(
        max_age=number(fields.get("max_age", 86400), "max_age", 0, LONGEST),
        max_uses=number(fields.get("max_uses") or 0, "max_uses", 0, 100),
        temporary=bool(fields.get("temporary")),
        roles=tuple(snowflake(one, "role_ids") for one in _listed(fields.get("role_ids"))),
        only_for=_targets(call) if call.files else None,
    )
    made = invites.create(call.world, call.actor, channel, terms, unique=bool(fields.get("unique")), reason=call.reason)
    return Answer(payload=made.payload(call.world))


def invite(call: Call) -> Answer:
    """Show an invite."""
    counts = call.query.get("with_counts") in {"true", "1", "True"}
    return Answer(payload=invites.find(call.world, call.path["code"]).payload(call.world, counts=counts, details=False))


def delete(call: Call) -> Answer:
    """Take an invite back."""
    found = invites.find(call.world, call.path["code"])
    body = found.payload(call.world, details=False)
    invites.revoke(call.world, call.actor, found, call.reason)
    return Answer(payload=body)


def of_guild(call: Call) -> Answer:
    """List a server's invites; needs Manage Server."""
    guild = call.guild
    guild.require(call.actor.id, permissions.MANAGE_GUILD)
    return Answer(payload=[one.payload(call.world) for one in _live(call, sorted(guild.invites))])


def of_channel(call: Call) -> Answer:
    """List a channel's invites; needs Manage Channels."""
    channel = seen(call)
    if channel.guild_id is None:
        raise refuse(50003)
    guild = call.world.guild(channel.guild_id)
    guild.require(call.actor.id, permissions.MANAGE_CHANNELS, channel)
    live = _live(call, sorted(guild.invites))
    return Answer(payload=[one.payload(call.world) for one in live if one.channel_id == channel.id])


def targets(call: Call) -> Answer:
    """Give back the file of who may accept."""
    found = _managed(call)
    rows = "\n".join(str(one) for one in sorted(found.terms.only_for or ()))
    return Answer(text=f"user_id\n{rows}\n", content_type="text/csv")


def set_targets(call: Call) -> Answer:
    """Replace who may accept."""
    found = _managed(call)
    terms = found.terms
    found.terms = Terms(terms.max_age, terms.max_uses, terms.temporary, terms.roles, _targets(call))
    return NOTHING


def target_job(call: Call) -> Answer:
    """Say how far the reading of the file is: here it is always done."""
    found = _managed(call)
    total, moment = len(found.terms.only_for or ()), wire_time(found.created_at)
    counts = {"status": 2, "total_users": total, "processed_users": total}
    return Answer(payload={**counts, "created_at": moment, "completed_at": moment, "error_message": None})


def _listed(found: object) -> list[object]:
    if isinstance(found, str):
        return [one.strip(' "') for one in found.strip("[]").split(",") if one]
    return listed(found, "role_ids")


def _targets(call: Call) -> frozenset[int]:
    file = call.files.get("target_users_file")
    if file is None:
        raise invalid({"target_users_file": ("BASE_TYPE_REQUIRED", "This field is required")})
    rows = [row.strip().strip('"') for row in file.decode("utf-8", "replace").replace(",", "\n").splitlines()]
    return frozenset(snowflake(row, "target_users_file") for row in rows if row and not row[0].isalpha())


def _managed(call: Call) -> Invite:
    found = invites.find(call.world, call.path["code"])
    guild = call.world.guild_for(call.actor.id, found.guild_id)
    if found.inviter is not call.actor:
        guild.require(call.actor.id, permissions.MANAGE_GUILD)
    return found


def _live(call: Call, codes: list[str]) -> list[Invite]:
    found = []
    for code in codes:
        try:
            found.append(invites.find(call.world, code))
        except RefusedError:
            continue
    return found


ROUTES = (
    Endpoint("POST", "/channels/{channel_id}/invites", create, "invites"),
    Endpoint("GET", "/channels/{channel_id}/invites", of_channel),
    Endpoint("GET", "/guilds/{guild_id}/invites", of_guild),
    Endpoint("GET", "/invites/{code}", invite, who=Who.ANYONE),
    Endpoint("DELETE", "/invites/{code}", delete),
    Endpoint("GET", "/invites/{code}/target-users", targets),
    Endpoint("PUT", "/invites/{code}/target-users", set_targets),
    Endpoint("GET", "/invites/{code}/target-users/job-status", target_job),
)
