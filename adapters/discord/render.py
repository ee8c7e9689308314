"""Core's words as Discord's embeds and buttons. A plain ``str`` can neither format, mention nor hide a link; sizes always fit."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from yarl import URL

from core.commands import CommandReply, ReplyButton
from core.platform import LinkButton, Message
from core.text import Bold, Code, Mention, Moment, MomentStyle, Span, Text, Url

TITLE, DESCRIPTION, FIELD_NAME, FIELD_VALUE, FIELDS, TOTAL = 256, 4096, 256, 1024, 25, 6000
LABEL, BUTTON_URL, CUSTOM_ID, PER_ROW, ROWS = 80, 512, 100, 5, 5
"""Discord's limits, in characters and pieces (discord.com/developers/docs/resources/message#embed-object-embed-limits)."""
NO_MENTIONS: dict[str, list[str]] = {"parse": []}
EPHEMERAL = 64
_ROW, _BUTTON, _SECONDARY, _LINK = 1, 2, 2, 5
_COLOUR = 0x5B6CFF
_MORE = "…"
_BREAK = "\u200b"
"""Takes no width, and keeps what is on either side from being read as one."""
_ADDRESS = re.compile(r"https?://[^\s<>\[\](){}@|`*\\\"']+")
_SPECIAL = frozenset("\\`*_~|[]")
_LINE_START = re.compile(r"^[ \t]*(?:[#>+-]|\d+\.)(?=[\s#>])", re.MULTILINE)
"""What makes a heading, a quote or a list, and only there."""
_MENTION = re.compile(r"<(?=[@#/:t])|@(?=everyone|here)")
_STYLES = {MomentStyle.DATE: "D", MomentStyle.DATE_TIME: "f", MomentStyle.RELATIVE: "R"}


def message(message: Message) -> dict[str, Any]:
    """Return the body of a message to a person or a channel."""
    return _body(message.title, message.body, message.buttons, ())


def reply(reply: CommandReply) -> dict[str, Any]:
    """Return the body of the answer to a command."""
    return _body(reply.title, reply.body, reply.buttons, reply.fields)


def escape(text: str) -> str:
    """Return ``text`` so that Discord shows it letter by letter; bare addresses stay clickable, since they hide nothing."""
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    """Yield ``text`` escaped, in the smallest pieces it may be cut into."""
    starts = {found.end() - 1 for found in _LINE_START.finditer(text)}
    position = 0
    while position < len(text):
        address = _ADDRESS.match(text, position)
        if address:
            yield address.group()
            position = address.end()
        else:
            yield _character(text[position], special=position in starts)
            position += 1


def _character(character: str, *, special: bool) -> str:
    if character == "<":
        return f"\\<{_BREAK}"
    if character == "@":
        return f"@{_BREAK}"
    return f"\\{character}" if special or character in _SPECIAL else character


def markdown(text: Text, limit: int) -> str:
    """Return ``text`` in Discord's markdown, at most ``limit`` characters, cut between characters of plain text or between spans."""
    written = ""
    for position, span in enumerate(text):
        piece = _span(span)
        last = position == len(text) - 1
        if len(written) + len(piece) > limit - (0 if last else len(_MORE)):
            return written + _cut(span, limit - len(written))
        written += piece
    return written


def _cut(span: Span, limit: int) -> str:
    kept = ""
    for piece in _pieces(span) if isinstance(span, str) else ():
        if len(kept) + len(piece) + len(_MORE) > limit:
            break
        kept += piece
    return (kept + _MORE)[: max(0, limit)]


def _span(span: Span) -> str:
    match span:
        case str():
            return escape(span)
        case Bold():
            return f"**{escape(span.text)}**" if span.text.strip() else escape(span.text)
        case Code():
            return _code(span.text)
        case Url():
            return _address(span.url) or escape(span.url)
        case Mention():
            return f"<@{span.user}>" if span.user.isdecimal() else escape(f"@{span.user}")
        case Moment():
            return f"<t:{int(span.at.timestamp())}:{_STYLES[span.style]}>"


def _code(text: str) -> str:
    inside = _MENTION.sub(lambda found: found.group() + _BREAK, text.replace("`", "'"))
    return f"`{inside}`" if inside.strip() else ""


def _address(url: str) -> str:
    """Return ``url`` as it may stand in markdown, or "" when it is not a web address."""
    try:
        parsed = URL(url)
    except ValueError:
        return ""
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        return ""
    return "".join(f"%{ord(character):02X}" if character in "<>()[]@`*|\\\"' " else character for character in str(parsed))


def _body(title: str, body: Text, buttons: Sequence[LinkButton | ReplyButton], fields: Sequence[tuple[str, Text]]) -> dict[str, Any]:
    fitting, overlong = _sorted(buttons)
    links = tuple(span for button in overlong for span in _as_link(button))
    embed: dict[str, Any] = {"title": _title(title), "color": _COLOUR}
    room = TOTAL - len(embed["title"])
    tail = "".join(links)
    embed["description"] = markdown(body, min(DESCRIPTION, room) - len(tail)) + tail
    embed["fields"] = list(_fields(fields, room - len(embed["description"])))
    return {"embeds": [embed], "components": _rows(fitting), "allowed_mentions": NO_MENTIONS}


def _title(title: str) -> str:
    return markdown((title,), TITLE)


def _fields(fields: Sequence[tuple[str, Text]], room: int) -> Iterable[dict[str, Any]]:
    for label, value in fields[:FIELDS]:
        field = {"name": markdown((label,), FIELD_NAME) or _BREAK, "value": markdown(value, FIELD_VALUE) or _BREAK, "inline": False}
        room -= len(str(field["name"])) + len(str(field["value"]))
        if room < 0:
            return
        yield field


def _sorted(buttons: Sequence[LinkButton | ReplyButton]) -> tuple[list[dict[str, Any]], list[LinkButton | ReplyButton]]:
    fitting: list[dict[str, Any]] = []
    overlong: list[LinkButton | ReplyButton] = []
    for button in buttons[: PER_ROW * ROWS]:
        if len(button.url) > BUTTON_URL:
            overlong.append(button)
        else:
            fitting.append(_button(button))
    return fitting, overlong


def _button(button: LinkButton | ReplyButton) -> dict[str, Any]:
    label = button.label[:LABEL] or _MORE
    if button.url:
        return {"type": _BUTTON, "style": _LINK, "label": label, "url": button.url}
    action = button.action if isinstance(button, ReplyButton) else ""
    if not 0 < len(action) <= CUSTOM_ID:
        raise ValueError(f"a button's action has 1 to {CUSTOM_ID} characters, not {len(action)}")
    return {"type": _BUTTON, "style": _SECONDARY, "label": label, "custom_id": action}


def _as_link(button: LinkButton | ReplyButton) -> list[str]:
    """A button takes an address of 512 characters; a payment page's may be longer, so it becomes a link of ours under the text."""
    return [f"\n\n**[{escape(button.label[:LABEL])}]({_address(button.url)})**"]


def _rows(buttons: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": _ROW, "components": list(buttons[start : start + PER_ROW])} for start in range(0, len(buttons), PER_ROW)]
