"""What is asked of the control API: JSON, read strictly; what is wrong with it is said, a sentence for each thing."""

import json
import re
from typing import Any, NoReturn, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

M = TypeVar("M", bound="Asked")
_ABOUT = re.compile(r"^(Input|String|Value|List)\b")
"""What pydantic calls whatever it read."""


class Asked(BaseModel):
    """The body of one request; a key that is not a field of it is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def read(model: type[M], body: bytes) -> M:
    """Return what was asked; 400 with what is wrong."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        refuse(*(_sentence(model, one) for one in error.errors(include_url=False, include_context=False)))


def answer(told: object) -> web.Response:
    """Answer JSON, on a line of its own."""
    return web.Response(text=f"{json.dumps(told, ensure_ascii=False)}\n", content_type="application/json")


def refuse(*sentences: str, status: type[web.HTTPException] = web.HTTPBadRequest) -> NoReturn:
    """Answer ``{"errors": sentences}``."""
    raise status(text=answer({"errors": sentences}).text, content_type="application/json")


def _sentence(model: type[Asked], error: Any) -> str:  # noqa: ANN401 - pydantic's own shape
    where, what = ".".join(str(part) for part in error["loc"]), str(error["msg"])
    match error["type"]:
        case "extra_forbidden":
            return f"There is no “{where}” to give here; there is {', '.join(model.model_fields)}."
        case "missing":
            return f"“{where}” is missing."
        case "json_invalid":
            return f"That is not JSON: {what.removeprefix('Invalid JSON: ')}."
        case "value_error":
            return what.removeprefix("Value error, ")
    return f"{_ABOUT.sub(f'“{where}”' if where else 'What is asked', what)}."
