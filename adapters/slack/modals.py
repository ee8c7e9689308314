"""Forms made from the command table: a command that needs something and was given nothing asks for it."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.slack.client import Slack
from adapters.slack.render import escape
from adapters.slack.replies import URL_LIFE
from adapters.slack.requests import Asking, Requests
from adapters.slack.spaces import sent_from
from adapters.slack.usage import NotUnderstoodError, usage
from adapters.slack.values import Value, WrongValueError, read
from core.clock import Clock
from core.commands import CommandKind, CommandSpec, Option, OptionKind
from core.errors import ExternalError, TransientError
from core.ids import PlatformUserId
from core.platform import Inbound

CALLBACK = "command"
_ACTION = "value"
_TITLE, _LABEL, _HINT, _CHOICE, _METADATA = 24, 2000, 2000, 75, 3000
"""Slack's limits, in characters (https://docs.slack.dev/reference/views/modal-views)."""
_LONG = 100
"""Texts that may be longer get a field of several lines."""
_TRIGGER_SECONDS = 2.0
"""A trigger is good for three."""
_PICKERS: dict[OptionKind, dict[str, Any]] = {
    OptionKind.USER: {"type": "users_select"},
    OptionKind.CHANNEL: {"type": "conversations_select", "filter": {"include": ["public", "private"]}},
    OptionKind.RESOURCE: {"type": "conversations_select", "filter": {"include": ["public", "private"]}},
}
_PICKED = {OptionKind.USER: "selected_user", OptionKind.CHANNEL: "selected_conversation", OptionKind.RESOURCE: "selected_conversation"}
_YES_NO = ("Yes", "No")


class Forms:
    """Opens forms, and takes them back filled in."""

    def __init__(self, slack: Slack, requests: Requests, clock: Clock) -> None:
        self._slack, self._requests, self._clock = slack, requests, clock

    async def open(self, trigger: str, asking: Asking, spec: CommandSpec) -> None:
        """Show the form of ``spec`` to the asker; raises ExternalError when it is too late or Slack refuses."""
        try:
            async with asyncio.timeout(_TRIGGER_SECONDS):
                await self._slack.call(asking.space, "views.open", trigger_id=trigger, view=form(spec, asking))
        except TimeoutError as error:
            raise TransientError("The form came too late to be opened.", code="expired_trigger_id") from error

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


def form(spec: CommandSpec, asking: Asking) -> dict[str, Any]:
    """Return the modal of ``spec``, those options first that it needs. What is answered where is carried along in it."""
    kept = {"words": list(spec.words), "data": dict(asking.data), "until": asking.answer_until.isoformat()}
    metadata = json.dumps(kept)
    if len(metadata) > _METADATA:
        metadata = json.dumps(kept | {"data": {}})
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": metadata,
        "title": _plain(_title(spec)),
        "submit": _plain("Send"),
        "close": _plain("Cancel"),
        "blocks": [_field(option) for option in sorted(spec.options, key=lambda option: not option.required)],
    }


def filled(spec: CommandSpec, state: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, str]]:
    """Return the values of a form, and what is wrong with those that do not do, by option."""
    values, errors = {}, {}
    for option in spec.options:
        written = _written(option, (state.get(option.name) or {}).get(_ACTION) or {})
        try:
            if written:
                values[option.name] = read(option, escape(written))
            elif option.required:
                errors[option.name] = "This is needed."
        except WrongValueError as problem:
            errors[option.name] = str(problem)
    return values, errors


def _written(option: Option, element: Mapping[str, Any]) -> str:
    if option.kind in _PICKED:
        return str(element.get(_PICKED[option.kind]) or "")
    if option.kind is OptionKind.BOOLEAN or option.choices:
        return str((element.get("selected_option") or {}).get("value") or "")
    return str(element.get("value") or "")


def _field(option: Option) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": option.name,
        "optional": not option.required,
        "label": _plain(option.name.replace("_", " ").capitalize()[:_LABEL]),
        "hint": _plain(option.description[:_HINT]),
        "element": {"action_id": _ACTION, **_element(option)},
    }


def _element(option: Option) -> dict[str, Any]:
    if option.kind in _PICKERS:
        return dict(_PICKERS[option.kind])
    choices = _YES_NO if option.kind is OptionKind.BOOLEAN else option.choices
    if choices:
        return {"type": "static_select", "options": [{"text": _plain(one[:_CHOICE]), "value": one} for one in choices]}
    bounds = {key: bound for key, bound in (("min", option.lowest), ("max", option.highest)) if bound is not None}
    if option.kind is OptionKind.INTEGER:
        return {"type": "number_input", "is_decimal_allowed": False, **{f"{key}_value": str(bound) for key, bound in bounds.items()}}
    several = option.highest is not None and option.highest > _LONG
    return {"type": "plain_text_input", "multiline": several, **{f"{key}_length": bound for key, bound in bounds.items()}}


def _title(spec: CommandSpec) -> str:
    return " ".join(spec.words[1:] or spec.words).capitalize()[:_TITLE]


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


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
