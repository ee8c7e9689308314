"""What the app may answer to an interaction, and until when: 3 seconds for the first word, 15 minutes for the rest."""

from typing import TYPE_CHECKING

from sandbox.discord import messages
from sandbox.discord.drafts import COMPONENT_SHAPE, LOADING, Draft, draft
from sandbox.discord.errors import Payload, invalid, refuse
from sandbox.discord.interactions import (
    ANSWER_WITHIN,
    AUTOCOMPLETE,
    CHOICES,
    COMMAND,
    COMPONENT,
    DEFER,
    DEFER_UPDATE,
    FORM,
    MODAL,
    SAY,
    TOKEN_LIFE,
    UPDATE,
    Interaction,
)
from sandbox.discord.messages import Message
from sandbox.discord.shapes import fit, number

if TYPE_CHECKING:
    from sandbox.discord.world import World

_ALLOWED = {
    COMMAND: {SAY, DEFER, MODAL},
    COMPONENT: {SAY, DEFER, DEFER_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {CHOICES},
    FORM: {SAY, DEFER, DEFER_UPDATE, UPDATE},
}


def answer(world: "World", interaction_id: int, token: str, body: Payload, *, files: bool = False) -> Interaction:
    """Take the app's first answer: 10062 after 3 s, 40060 the second time, 50035 when it does not fit."""
    one = world.interactions.get(token)
    if one is None or one.id != interaction_id:
        raise refuse(10062)
    if one.answer is not None:
        raise refuse(40060)
    if one.created_at + ANSWER_WITHIN < world.clock.now():
        raise refuse(10062)
    fit(body, {"type": int, "data": {"choices": [{}], "components": [COMPONENT_SHAPE], "custom_id": str, "title": str}})
    kind = body.get("type")
    if kind not in _ALLOWED[one.kind] or (kind in {UPDATE, DEFER_UPDATE} and one.source is None):
        raise invalid({"type": ("INTERACTION_APPLICATION_COMMAND_CALLBACK_TYPE_INVALID", "Not a valid answer to this interaction.")})
    _carry_out(world, one, kind, body.get("data") or {}, files=files)
    one.answer = kind
    one.settled = kind not in {DEFER, DEFER_UPDATE}
    world.changes.notify()
    return one


def live(world: "World", app_id: int, token: str) -> Interaction:
    """Return the answered interaction behind a webhook token; 50027 after 15 minutes, 10015 before the first answer."""
    one = world.interactions.get(token)
    if one is None or app_id != world.app.id:
        raise refuse(10015)
    if one.created_at + TOKEN_LIFE < world.clock.now():
        raise refuse(50027)
    if one.answer is None:
        raise refuse(10015)
    return one


def message_of(one: Interaction, which: int | None) -> Message:
    """Return the first answer (None) or one of the further messages of the interaction."""
    known = [message for message in (one.original, *one.followups) if message is not None]
    found = one.original if which is None else next((message for message in known if message.id == which), None)
    if found is None or found.id not in one.channel.messages:
        raise refuse(10008)
    return found


def edit(world: "World", one: Interaction, message: Message, body: Payload, *, files: bool = False) -> Message:
    """Change an answer; the first edit of a deferred one is the answer itself."""
    made = _edit(world, one, message, body, files=files)
    made.flags &= ~LOADING
    one.settled = True
    world.changes.notify()
    return made


def follow_up(world: "World", one: Interaction, body: Payload, *, files: bool = False) -> Message:
    """Add a message; while the first answer is only deferred, this becomes it, as Discord does."""
    if one.original is not None and one.original.flags & LOADING:
        return edit(world, one, one.original, body, files=files)
    made = _say(world, one, draft(body, files=files))
    one.followups.append(made)
    one.settled = True
    world.changes.notify()
    return made


def remove(world: "World", one: Interaction, message: Message) -> None:
    """Delete an answer."""
    one.deleted = one.settled = True
    messages.drop(world, one.channel, message)


def _carry_out(world: "World", one: Interaction, kind: int, data: Payload, *, files: bool) -> None:
    if kind == SAY:
        one.original = _say(world, one, draft(data, files=files))
    elif kind == DEFER:
        one.original = _say(world, one, Draft(flags=number(data.get("flags") or 0, "data.flags", 0, (1 << 31) - 1)))
        one.original.flags |= LOADING
    elif kind == DEFER_UPDATE:
        one.original = one.source
    elif kind == UPDATE and one.source is not None:
        one.original = _edit(world, one, one.source, data)
    elif kind == MODAL:
        one.modal = _form(data)
    else:
        one.choices = list(data.get("choices") or [])


def _say(world: "World", one: Interaction, made: Draft) -> Message:
    message = messages.post(world, world.bot, one.channel, made, as_app=True)
    message.interaction, message.application_id = one.metadata(), world.app.id
    return message


def _edit(world: "World", one: Interaction, message: Message, body: Payload, *, files: bool = False) -> Message:
    now = {"content": message.content, "embeds": message.embeds, "components": message.components}
    return messages.edit(world, message, one.channel, draft({**now, **body}, files=files))


def _form(data: Payload) -> Payload:
    wrong = {key: ("BASE_TYPE_REQUIRED", "This field is required") for key in ("custom_id", "title", "components") if not data.get(key)}
    if len(data.get("title") or "") > 45:  # noqa: PLR2004 - Discord's limit
        wrong["data.title"] = ("BASE_TYPE_MAX_LENGTH", "Must be 45 or fewer in length.")
    if wrong:
        raise invalid({key if key.startswith("data.") else f"data.{key}": value for key, value in wrong.items()})
    return data
