"""Core's words as Slack's blocks. Text goes out as rich text, in which only spans of ours format, mention or link: Slack reads no
marks in it, so there is nothing to escape. Only ``text``, which notifications show, is read for marks; there they are escaped.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from yarl import URL

from adapters.slack.usage import GROUP
from core.commands import CommandReply, ReplyButton
from core.platform import LinkButton, Message
from core.text import Bold, Code, Mention, Moment, MomentStyle, Span, Text, Url, plain

TITLE, WORDS, FIELDS, NOTICE = 150, 9000, 20, 300
LABEL, VALUE, ADDRESS, PER_ROW = 75, 2000, 3000, 5
"""Slack's limits, in characters and pieces (https://docs.slack.dev/reference/block-kit/blocks); WORDS, FIELDS, NOTICE and PER_ROW ours."""
DO, GO = "do", "go"
"""How the action ids of buttons begin: those that run a command, whose ``value`` is the action, and those that only open an address."""
_MORE = "…"
_FORMATS = {MomentStyle.DATE: "{date_long}", MomentStyle.DATE_TIME: "{date_long}, {time}", MomentStyle.RELATIVE: "{ago}"}
Block = dict[str, Any]
Body = dict[str, Any]


def message(message: Message, command: str = f"/{GROUP}") -> Body:
    """Return ``text`` and ``blocks`` of a message to a person or a channel. ``command`` is what ours are typed after."""
    return _body(message.title, _as_typed(message.body, command), message.buttons, ())


def reply(reply: CommandReply, command: str = f"/{GROUP}") -> Body:
    """Return ``text`` and ``blocks`` of the answer to a command."""
    fields = [(label, _as_typed(value, command)) for label, value in reply.fields]
    return _body(reply.title, _as_typed(reply.body, command), reply.buttons, fields)


def _as_typed(text: Text, command: str) -> Text:
    """Write commands as they are typed here: all of them after the one Slack knows."""
    return tuple(_command(span, command) if isinstance(span, Code) else span for span in text)


def _command(span: Code, command: str) -> Code:
    if not span.text.startswith("/"):
        return span
    words = span.text.removeprefix("/").removeprefix(GROUP).strip()
    return Code(f"{command} {words}".rstrip())


def escape(text: str) -> str:
    """Return ``text`` for where Slack reads marks: nothing in it can mention anybody or hide a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _body(title: str, body: Text, buttons: Sequence[LinkButton | ReplyButton], fields: Sequence[tuple[str, Text]]) -> Body:
    words = " ".join(f"{title}: {plain(body)}".split()) if body else title
    blocks = [*_header(title), *_words(body, fields), *_rows(buttons)]
    return {"text": escape(_cut(words or _MORE, NOTICE)), "blocks": blocks}


def _header(title: str) -> Iterator[Block]:
    if title.strip():
        yield {"type": "header", "text": {"type": "plain_text", "text": _cut(title, TITLE), "emoji": False}}


def _words(body: Text, fields: Sequence[tuple[str, Text]]) -> Iterator[Block]:
    """One piece of rich text: the body, then a line for each field."""
    room = WORDS
    elements: list[Block] = []
    for text in (body, *((Bold(f"{label}: "), *value) for label, value in fields[:FIELDS])):
        line = list(_elements(text, room))
        room -= sum(len(str(element.get("text", ""))) for element in line)
        elements += [{"type": "text", "text": "\n"}, *line] if elements and line else line
    if elements:
        yield {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _elements(text: Text, room: int) -> Iterator[Block]:
    """Yield ``text`` in ``room`` characters at most; spans but plain text are never cut, only left out."""
    for span in text:
        element = _element(span)
        size = len(str(element.get("text", "")))
        if size > room:
            yield {"type": "text", "text": _cut(span, room) if isinstance(span, str) else _MORE}
            return
        room -= size
        if size or element["type"] != "text":
            yield element


def _element(span: Span) -> Block:
    match span:
        case str():
            return {"type": "text", "text": span}
        case Bold():
            return {"type": "text", "text": span.text, "style": {"bold": True}}
        case Code():
            return {"type": "text", "text": span.text, "style": {"code": True}}
        case Url():
            return {"type": "link", "url": span.url} if _is_web(span.url) else {"type": "text", "text": span.url}
        case Mention():
            return {"type": "user", "user_id": span.user}
        case Moment():
            at = int(span.at.timestamp())
            return {"type": "date", "timestamp": at, "format": _FORMATS[span.style], "fallback": plain((span,))}


def _is_web(url: str) -> bool:
    try:
        parsed = URL(url)
    except ValueError:
        return False
    return parsed.scheme in {"http", "https"} and bool(parsed.host) and len(url) <= ADDRESS


def _rows(buttons: Sequence[LinkButton | ReplyButton]) -> Iterator[Block]:
    made = [_button(number, button) for number, button in enumerate(buttons)]
    for start in range(0, len(made), PER_ROW):
        yield {"type": "actions", "elements": made[start : start + PER_ROW]}


def _button(number: int, button: LinkButton | ReplyButton) -> Block:
    label = {"type": "plain_text", "text": _cut(button.label, LABEL) or _MORE, "emoji": False}
    if button.url:
        if len(button.url) > ADDRESS:
            raise ValueError(f"a button's address has at most {ADDRESS} characters, not {len(button.url)}")
        return {"type": "button", "action_id": f"{GO}:{number}", "text": label, "url": button.url}
    action = button.action if isinstance(button, ReplyButton) else ""
    if not 0 < len(action) <= VALUE:
        raise ValueError(f"a button's action has 1 to {VALUE} characters, not {len(action)}")
    return {"type": "button", "action_id": f"{DO}:{number}", "text": label, "value": action}


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(0, limit - len(_MORE))] + _MORE
