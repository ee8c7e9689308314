"""Forms made from the command table: a command that needs something and was given nothing asks for it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from adapters.slack.client import Slack
from adapters.slack.fields import GROUP, Listed, asks_for_resource, chosen, fields, held, plain, written_in
from adapters.slack.render import escape
from adapters.slack.replies import URL_LIFE
from adapters.slack.requests import Asking, Requests
from adapters.slack.spaces import sent_from
from adapters.slack.usage import NotUnderstoodError, usage
from adapters.slack.values import Value, WrongValueError, read
from core.clock import Clock
from core.commands import CommandKind, CommandSpec
from core.errors import ExternalError, TransientError
from core.ids import PlatformUserId
from core.platform import Inbound, Space

CALLBACK = "command"
_TITLE, _METADATA = 24, 3000
"""Slack's limits, in characters (https://docs.slack.dev/reference/views/modal-views)."""
_TRIGGER_SECONDS = 2.0
"""A trigger is good for three."""
_GROUPS_SECONDS = 0.7
Groups = Callable[[Space], Awaitable[Listed]]
"""Lists the user groups of a workspace, in alphabetical order."""


class Forms:
    """Opens forms, and takes them back filled in."""

    def __init__(self, slack: Slack, requests: Requests, clock: Clock, groups: Groups) -> None:
        self._slack, self._requests, self._clock, self._groups = slack, requests, clock, groups

    async def open(self, trigger: str, asking: Asking, spec: CommandSpec) -> None:
        """Show the form of ``spec`` to the asker; raises ExternalError when it is too late or Slack refuses."""
        try:
            async with asyncio.timeout(_TRIGGER_SECONDS):
                groups = await self._known_groups(asking.space) if asks_for_resource(spec) else ()
                await self._slack.call(asking.space, "views.open", trigger_id=trigger, view=form(spec, asking, groups))
        except TimeoutError as error:
            raise TransientError("The form came too late to be opened.", code="expired_trigger_id") from error

    async def _known_groups(self, space: Space) -> Listed:
        """Return what there is to pick; nothing where Slack does not say so in time: the form is of use without."""
        with suppress(ExternalError, TimeoutError):
            async with asyncio.timeout(_GROUPS_SECONDS):
                return await self._groups(space)
        return ()

    def unopened(self, spec: CommandSpec, command: str, error: ExternalError) -> NotUnderstoodError:
        """Return what to say instead of a form."""
        return NotUnderstoodError(f"The form could not be opened ({error.code}). Write it like this: {usage(spec, command)}")

    async def take(self, body: Mapping[str, Any], inbound: Inbound) -> Mapping[str, str]:
        """Store what was sent, or return what is wrong with it: a sentence for each field it is about."""
        view = body.get("view") or {}
        meant = _meant(view)
        space = sent_from(body)
        if view.get("callback_id") != CALLBACK or meant is None or space is None:
            return {}
        spec = next((one for one in inbound.commands if one.kind is CommandKind.SLASH and list(one.words) == meant["words"]), None)
        if spec is None:
            return _at_first(view, "I don't know that command any more. Close this and try again.")
        values, errors = filled(spec, (view.get("state") or {}).get("values") or {})
        if errors:
            return errors
        user = body.get("user") or {}
        asking = Asking(
            id=f"view {view['id']}",
            space=space,
            user=PlatformUserId(str(user["id"])),
            user_name=str(user.get("name") or user["id"]),
            data=meant["data"],
            answer_until=datetime.fromisoformat(meant["until"]) if meant["until"] else self._clock.now() + URL_LIFE,
        )
        try:
            await inbound.on_command(await self._requests.made(asking, spec, values))
        except NotUnderstoodError as problem:
            return _at_first(view, str(problem))
        return {}


def form(spec: CommandSpec, asking: Asking, groups: Listed = ()) -> dict[str, Any]:
    """Return the modal of ``spec``, those options first that it needs. What is answered where is carried along in it.

    ``groups`` are the user groups to pick from.
    """
    kept = {"words": list(spec.words), "data": dict(asking.data), "until": asking.answer_until.isoformat()}
    metadata = json.dumps(kept)
    if len(metadata) > _METADATA:
        metadata = json.dumps(kept | {"data": {}})
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": metadata,
        "title": plain(_title(spec)),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "blocks": [block for option in sorted(spec.options, key=lambda option: not option.required) for block in fields(option, groups)],
    }


def filled(spec: CommandSpec, state: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, str]]:
    """Return the values of a form, and what is wrong with those that do not do, by option."""
    values, errors = {}, {}
    for option in spec.options:
        typed, picked = written_in(option, held(state, option.name)), chosen(held(state, option.name + GROUP))
        try:
            if typed and picked:
                errors[option.name + GROUP] = "Pick a channel or a user group, not both."
            elif typed := typed or picked:
                values[option.name] = read(option, escape(typed))
            elif option.required:
                errors[option.name] = "Pick a channel, or a user group below." if option.name + GROUP in state else "This is needed."
        except WrongValueError as problem:
            errors[option.name] = str(problem)
    return values, errors


def _title(spec: CommandSpec) -> str:
    return " ".join(spec.words[1:] or spec.words).capitalize()[:_TITLE]


def _meant(view: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        kept = json.loads(str(view.get("private_metadata") or ""))
    except ValueError:
        return None
    return kept if isinstance(kept, dict) and {"words", "data", "until"} <= kept.keys() else None


def _at_first(view: Mapping[str, Any], problem: str) -> dict[str, str]:
    """A form shows what is wrong only beside a field."""
    fields = [str(block.get("block_id")) for block in view.get("blocks") or [] if block.get("type") == "input"]
    return {fields[0]: problem} if fields else {}
