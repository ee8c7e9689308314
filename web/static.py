"""The files every page needs, read once; their address holds their hash, so that browsers may keep them for ever."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Self

from aiohttp import web

_TYPES = MappingProxyType({".css": "text/css", ".svg": "image/svg+xml"})
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file and its type."""

    body: bytes
    content_type: str
    version: str


class Assets:
    """The files of ``web/static``, by name."""

    def __init__(self, found: dict[str, Asset]) -> None:
        self._found = found

    @classmethod
    def load(cls) -> Self:
        """Read them from the package."""
        found = {}
        for file in files("web").joinpath("static").iterdir():
            kind = _TYPES.get("." + file.name.rpartition(".")[2])
            if kind is not None:
                body = file.read_bytes()
                found[file.name] = Asset(body, kind, hashlib.sha256(body).hexdigest()[:12])
        return cls(found)

    def url(self, name: str) -> str:
        """Return where a page finds a file; KeyError for one that is not there."""
        return f"/static/{self._found[name].version}/{name}"

    def respond(self, name: str) -> web.Response:
        """Answer with a file; whichever version is asked for gets the one there is."""
        asset = self._found.get(name)
        if asset is None:
            raise web.HTTPNotFound
        return web.Response(body=asset.body, content_type=asset.content_type, charset="utf-8", headers={"Cache-Control": _FOR_EVER})
