"""What a form's fields hold when a person has filled them in."""

from collections.abc import Mapping
from typing import Any

from sandbox.slack.errors import Payload


def filled(blocks: list[Payload], values: Mapping[str, object]) -> Payload:
    """Return the state of a form: ``values`` by label, action id or block id; what is not named keeps what it began with.

    LookupError names a field there is not.
    """
    left = dict(values)
    state: Payload = {}
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        names = (element["action_id"], block["block_id"], block["label"]["text"])
        name = next((one for one in names if one in left), None)
        given = left.pop(name) if name is not None else None
        state.setdefault(block["block_id"], {})[element["action_id"]] = {"type": element["type"], **_held(element, given)}
    if left:
        labels = [one["label"]["text"] for one in blocks if one.get("type") == "input"]
        raise LookupError(f"no fields {sorted(left)}; there are {labels}")
    return state


def chosen(element: Payload, value: object) -> Payload:
    """Return what an action in a message or view says was chosen; nothing for a button."""
    return {} if element["type"] == "button" else _held(element, value)


def _held(element: Payload, given: object) -> Payload:
    kind: str = element["type"]
    if kind in {"static_select", "radio_buttons"}:
        return {"selected_option": _option(element, given) if given is not None else element.get("initial_option")}
    if kind in {"multi_static_select", "checkboxes"}:
        wanted: list[Any] = given if isinstance(given, list) else []
        return {"selected_options": [_option(element, one) for one in wanted] if given is not None else element.get("initial_options", [])}
    for one in ("users", "conversations", "channels"):
        if kind == f"{one}_select":
            return {f"selected_{one[:-1]}": given if given is not None else element.get(f"initial_{one[:-1]}")}
        if kind == f"multi_{one}_select":
            return {f"selected_{one}": given if given is not None else element.get(f"initial_{one}", [])}
    if kind == "datepicker":
        return {"selected_date": given if given is not None else element.get("initial_date")}
    return {"value": str(given) if given is not None else element.get("initial_value")}


def _option(element: Payload, given: object) -> Payload:
    options: list[Payload] = element.get("options", [])
    for one in options:
        if given in (one["value"], one["text"]["text"]):
            return one
    raise LookupError(f"no option {given!r}; there are {[one['text']['text'] for one in options]}")
