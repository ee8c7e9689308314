"""What people and bots may put into a message: Discord's own limits, refused with 50035 as the API does."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.discord.errors import Payload, invalid, refuse
from sandbox.discord.shapes import Shape, fit, number

EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15
ACTION_ROW, BUTTON, TEXT_INPUT, SECTION, TEXT_DISPLAY, CONTAINER, LABEL = 1, 2, 4, 9, 10, 17, 18
_LINK, _PREMIUM = 5, 6
_SELECTS = frozenset({3, 5, 6, 7, 8})
_EMBED_TOTAL = 6000
_LENGTHS = {"title": 256, "description": 4096}
_EMBED: Shape = {
    "title": str,
    "description": str,
    "fields": [{"name": str, "value": str}],
    "footer": {"text": str},
    "author": {"name": str},
}
COMPONENT_SHAPE: Shape = {"type": int, "custom_id": str, "label": str, "url": str}
COMPONENT_SHAPE |= {"components": [COMPONENT_SHAPE], "accessory": COMPONENT_SHAPE, "component": COMPONENT_SHAPE}
_BODY: Shape = {
    "content": str,
    "embeds": [_EMBED],
    "components": [COMPONENT_SHAPE],
    "allowed_mentions": {"parse": [str], "users": [(str, int)], "roles": [(str, int)]},
}
_URL = re.compile(r"^(https?|discord)://\S+$")


@dataclass(slots=True)
class Draft:
    """The parts of a message, checked and completed with the defaults the API writes back."""

    content: str = ""
    embeds: list[Payload] = field(default_factory=list)
    components: list[Payload] = field(default_factory=list)
    flags: int = 0
    allowed_mentions: Payload | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.content.strip() or self.embeds or self.components)


def draft(body: Payload, *, files: bool = False) -> Draft:
    """Check ``body`` and return it as a :class:`Draft`; 50035 for what is too long or wrong, 50006 for nothing at all."""
    fit(body, _BODY)
    wrong: dict[str, tuple[str, str]] = {}
    content = body.get("content") or ""
    _at_most(wrong, "content", content, 2000)
    embeds = [_embed(embed, f"embeds.{index}", wrong) for index, embed in enumerate(body.get("embeds") or [])]
    if len(embeds) > 10:  # noqa: PLR2004 - Discord's limit
        wrong["embeds"] = ("BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    if sum(_weight(embed) for embed in embeds) > _EMBED_TOTAL:
        wrong["embeds"] = ("MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {_EMBED_TOTAL}")
    components = body.get("components") or []
    _check_components(components, wrong)
    if wrong:
        raise invalid(wrong)
    flags = number(body.get("flags") or 0, "flags", 0, (1 << 31) - 1)
    made = Draft(content, embeds, _numbered(components), flags, body.get("allowed_mentions"))
    if made.is_empty and not files:
        raise refuse(50006)
    return made


def walk(components: list[Payload]) -> Iterator[Payload]:
    """Yield every component, parents first."""
    for component in components:
        yield component
        yield from walk(component.get("components") or [])
        for key in ("accessory", "component"):
            if component.get(key):
                yield from walk([component[key]])


def _embed(embed: Payload, path: str, wrong: dict[str, tuple[str, str]]) -> Payload:
    for key, length in _LENGTHS.items():
        _at_most(wrong, f"{path}.{key}", embed.get(key) or "", length)
    _at_most(wrong, f"{path}.footer.text", (embed.get("footer") or {}).get("text", ""), 2048)
    fields = embed.get("fields") or []
    if len(fields) > 25:  # noqa: PLR2004 - Discord's limit
        wrong[f"{path}.fields"] = ("BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for index, one in enumerate(fields):
        for key, length in (("name", 256), ("value", 1024)):
            if not one.get(key):
                wrong[f"{path}.fields.{index}.{key}"] = ("BASE_TYPE_REQUIRED", "This field is required")
            _at_most(wrong, f"{path}.fields.{index}.{key}", str(one.get(key) or ""), length)
    kept = {key: value for key, value in embed.items() if value is not None}
    return {**kept, "type": "rich", "fields": [{"inline": False, **one} for one in fields]}


def _weight(embed: Payload) -> int:
    texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    texts += [one[key] for one in embed["fields"] for key in ("name", "value") if key in one]
    return sum(len(text) for text in texts if text)


def _check_components(components: list[Payload], wrong: dict[str, tuple[str, str]]) -> None:
    if len(components) > 5 and all(one.get("type") == ACTION_ROW for one in components):  # noqa: PLR2004 - Discord's limit
        wrong["components"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    for spot, one in enumerate(walk(components)):
        if one.get("type") is None:
            wrong[f"components.{spot}.type"] = ("BASE_TYPE_REQUIRED", "This field is required")
    seen: set[str] = set()
    for row, outer in enumerate(components):
        if outer.get("type") == ACTION_ROW and not 1 <= len(outer.get("components") or []) <= 5:  # noqa: PLR2004 - Discord's limit
            wrong[f"components.{row}.components"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        for spot, one in enumerate(walk(outer.get("components") or [])):
            path = f"components.{row}.components.{spot}"
            custom_id = one.get("custom_id")
            if custom_id is not None:
                _at_most(wrong, f"{path}.custom_id", custom_id, 100)
                if custom_id in seen:
                    wrong[f"{path}.custom_id"] = ("COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
                seen.add(custom_id)
            if one.get("type") == BUTTON:
                _check_button(one, path, wrong)


def _check_button(button: Payload, path: str, wrong: dict[str, tuple[str, str]]) -> None:
    _at_most(wrong, f"{path}.label", button.get("label") or "", 80)
    style = button.get("style")
    if style == _LINK:
        url = button.get("url") or ""
        _at_most(wrong, f"{path}.url", url, 512)
        if not _URL.match(url):
            wrong[f"{path}.url"] = ("URL_TYPE_INVALID_URL", "Not a well formed URL.")
    elif style != _PREMIUM and not button.get("custom_id"):
        wrong[f"{path}.custom_id"] = ("BASE_TYPE_REQUIRED", "This field is required")


def _numbered(components: list[Payload]) -> list[Payload]:
    """Return copies with the ``id`` each component carries in answers, numbered from 1, and the defaults filled in."""
    counter = 0

    def copy(component: Payload) -> Payload:
        nonlocal counter
        counter += 1
        made: Payload = {"id": counter, **{key: value for key, value in component.items() if value is not None}}
        made["id"] = made["id"] or counter
        if made["type"] in _SELECTS:
            made = {"min_values": 1, "max_values": 1, **made}
        if made["type"] == CONTAINER:
            made = {"accent_color": None, "spoiler": False, **made}
        if "components" in made:
            made["components"] = [copy(one) for one in made["components"]]
        if "accessory" in made:
            made["accessory"] = copy(made["accessory"])
        return made

    return [copy(component) for component in components]


def _at_most(wrong: dict[str, tuple[str, str]], path: str, text: str, length: int) -> None:
    if len(text) > length:
        wrong[path] = ("BASE_TYPE_MAX_LENGTH", f"Must be {length} or fewer in length.")
