from sandbox.discord import answers
from sandbox.discord.endpoints.call import NOTHING, Answer, Call, Endpoint, Who
from sandbox.discord.errors import Payload
from sandbox.discord.interactions import DEFER, SAY, UPDATE, Interaction
from sandbox.discord.messages import Message


def callback(call: Call) -> Answer:
    """Take the app's first answer to an interaction."""
    token = call.path["interaction_token"]
    one = answers.answer(call.world, call.id("interaction_id"), token, call.fields, files=bool(call.files))
    if call.query.get("with_response") not in {"true", "1", "True"}:
        return NOTHING
    shown: Payload = {"id": str(one.id), "type": one.kind, "channel_id": str(one.channel.id)}
    if one.channel.guild_id is not None:
        shown["guild_id"] = str(one.channel.guild_id)
    body: Payload = {"interaction": shown}
    if one.original is not None:
        shown["response_message_id"] = str(one.original.id)
        shown["response_message_loading"] = one.answer == DEFER
        shown["response_message_ephemeral"] = one.original.is_ephemeral
    if one.answer in {SAY, UPDATE} and one.original is not None:
        body["resource"] = {"type": UPDATE if one.answer == UPDATE else SAY, "message": one.original.payload()}
    return Answer(payload=body)


def follow_up(call: Call) -> Answer:
    """Add a message; answers with it, as a webhook with ``wait`` does."""
    made = answers.follow_up(call.world, _live(call), call.fields, files=bool(call.files))
    return Answer(payload=made.payload())


def message(call: Call) -> Answer:
    """Show an answer."""
    return Answer(payload=_message(call, _live(call)).payload())


def edit(call: Call) -> Answer:
    """Change an answer."""
    one = _live(call)
    return Answer(payload=answers.edit(call.world, one, _message(call, one), call.fields, files=bool(call.files)).payload())


def delete(call: Call) -> Answer:
    """Remove an answer."""
    one = _live(call)
    answers.remove(call.world, one, _message(call, one))
    return NOTHING


def _live(call: Call) -> Interaction:
    return answers.live(call.world, call.id("webhook_id"), call.path["webhook_token"])


def _message(call: Call, one: Interaction) -> Message:
    which = call.path.get("message_id")
    return answers.message_of(one, None if which is None else call.id("message_id"))


_HOOK = "/webhooks/{webhook_id}/{webhook_token}"
ROUTES = (
    Endpoint("POST", "/interactions/{interaction_id}/{interaction_token}/callback", callback, "answers", Who.ANYONE, counted=False),
    Endpoint("POST", _HOOK, follow_up, "answers", Who.ANYONE, counted=False),
    *(
        Endpoint(method, f"{_HOOK}/messages/{which}", handler, "answers", Who.ANYONE, counted=False)
        for which in ("@original", "{message_id}")
        for method, handler in (("GET", message), ("PATCH", edit), ("DELETE", delete))
    ),
)
