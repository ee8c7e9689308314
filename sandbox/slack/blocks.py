"""Block Kit held to its limits: https://docs.slack.dev/reference/block-kit."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.errors import Payload
from sandbox.slack.ids import Ids

TITLE = 25
KINDS = frozenset({"actions", "context", "divider", "header", "image", "input", "rich_text", "section", "markdown", "video"})
_TEXT, _HEADER, _LABEL, _VALUE, _URL, _ID, _FIELD = 3000, 150, 75, 2000, 3000, 255, 2000
_FIELDS = 10
_OPTIONS, _OPTION = 100, 150
_MOST = {"actions": 25, "context": 10}
_PASSIVE = frozenset({"mrkdwn", "plain_text", "image"})


def problems(blocks: list[Any]) -> list[str]:
    """Return what is wrong with the blocks, a sentence each."""
    found: list[str] = ["no more than 100 items allowed"] if len(blocks) > 100 else []  # noqa: PLR2004 - said in words
    seen: set[str] = set()
    for block in blocks:
        if not isinstance(block, dict) or str(block.get("type")) not in KINDS:
            found.append("unsupported type: " + str(block.get("type") if isinstance(block, dict) else block))
            continue
        shape = list(_of_shape(block))
        found += shape or _of_block(block)
        block_id = block.get("block_id")
        if block_id is not None and (not isinstance(block_id, str) or block_id in seen or not 0 < len(block_id) <= _ID):
            found.append(f"block_id {block_id!r} must be unique text of at most 255 characters")
        seen.add(str(block_id))
    return found


def _of_shape(block: Payload) -> Iterator[str]:
    for name in ("elements", "fields"):
        if not isinstance(block.get(name, []), list):
            yield f"{name} must be a list"
    for name in ("accessory", "element", "label"):
        if not isinstance(block.get(name, {}), dict):
            yield f"{name} must be an object"


def name_all(ids: Ids, blocks: list[Payload]) -> None:
    """Give blocks and elements without an id one, as Slack does."""
    for block in blocks:
        block.setdefault("block_id", ids.secret(5))
        for one in _inside(block):
            if one.get("type") not in _PASSIVE:
                one.setdefault("action_id", ids.secret(5))


def _inside(block: Payload) -> Iterator[Payload]:
    if block["type"] == "rich_text":
        return
    for one in [*(block.get("elements") or []), block.get("accessory"), block.get("element")]:
        if isinstance(one, dict):
            yield one


def _of_block(block: Payload) -> Iterator[str]:
    kind: str = block["type"]
    if kind == "section":
        yield from _of_section(block)
    elif kind == "header":
        yield from _text(block.get("text") or "missing", _HEADER, plain=True)
    elif kind in _MOST:
        inside = block.get("elements")
        if not isinstance(inside, list) or not 0 < len(inside) <= _MOST[kind]:
            yield f"{kind} needs 1 to {_MOST[kind]} elements"
            return
    elif kind == "input":
        if not block.get("label") or not block.get("element", {}).get("type"):
            yield "input needs label and element"
        yield from _text(block.get("label") or None, _VALUE, plain=True)
    for one in _inside(block):
        yield from _of_element(one)


def _of_section(block: Payload) -> Iterator[str]:
    fields = block.get("fields") or []
    if not block.get("text") and not fields:
        yield "section needs text or fields"
    yield from _text(block.get("text"), _TEXT)
    if len(fields) > _FIELDS:
        yield "no more than 10 fields allowed"
    for one in fields:
        yield from _text(one, _FIELD)


def _of_element(element: Payload) -> Iterator[str]:
    for name, most in (("action_id", _ID), ("value", _VALUE), ("url", _URL)):
        given = element.get(name)
        if given is not None and (not isinstance(given, str) or not 0 < len(given) <= most):
            yield f"{name} must be text of 1 to {most} characters"
    if element.get("type") == "static_select":
        yield from _of_options(element.get("options"))
    if element.get("type") == "button":
        yield from _text(element.get("text") or "missing", _LABEL, plain=True)
        if str(element.get("style", "primary")) not in {"primary", "danger"}:
            yield "style must be primary or danger"


def _of_options(options: object) -> Iterator[str]:
    if not isinstance(options, list) or not 0 < len(options) <= _OPTIONS:
        yield f"a select needs 1 to {_OPTIONS} options"
        return
    for one in options:
        yield from _text(one.get("text") or "missing", _LABEL, plain=True)
        if not 0 < len(str(one.get("value", ""))) <= _OPTION:
            yield f"an option's value must be text of 1 to {_OPTION} characters"


def _text(text: object, most: int, *, plain: bool = False) -> Iterator[str]:
    if text is None:
        return
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if not isinstance(text, dict) or text.get("type") not in kinds:
        yield "text must be a text object" + (" of plain_text" if plain else "")
    elif not 0 < len(str(text.get("text", ""))) <= most:
        yield f"text must be 1 to {most} characters"
