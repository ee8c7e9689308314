"""One API call as a route's handler sees it, and the routes themselves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.stripe.account import Account
from sandbox.stripe.errors import unknown_route
from sandbox.stripe.params import EXPAND, LISTING, Table, read_table
from sandbox.stripe.resource import Json, Resource


@dataclass(slots=True)
class Call:
    """``params`` are read and typed; ``ids`` are the placeholders of the path, in order."""

    account: Account
    params: Json
    ids: tuple[str, ...]
    path: str

    @property
    def id(self) -> str:
        """The (first) id in the path."""
        return self.ids[0]

    def get(self, kind: str) -> Resource:
        """Return the object of ``kind`` that the path names."""
        return self.account.table(kind).get(self.id)

    def named(self, kind: str, param: str) -> Resource | None:
        """Return the object of ``kind`` that parameter ``param`` names, if it is given."""
        value = self.params.get(param)
        return self.account.table(kind).get(value, param) if value else None


Handler = Callable[[Call], Json]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path, what it accepts, and who answers."""

    method: str
    pattern: str
    handler: Handler
    accepts: Table = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def read(self, values: Mapping[str, object]) -> Json:
        """Read and check the parameters."""
        return read_table(values, self.accepts, self.required)


def get(pattern: str, handler: Handler) -> Route:
    """Route a retrieval."""
    return Route("GET", pattern, handler, EXPAND)


def listing(pattern: str, handler: Handler, accepts: Table | None = None) -> Route:
    """Route a list."""
    return Route("GET", pattern, handler, {**EXPAND, **LISTING, **(accepts or {})})


def post(pattern: str, handler: Handler, accepts: Table | None = None, *required: str) -> Route:
    """Route a creation, a change or an action."""
    return Route("POST", pattern, handler, {**EXPAND, **(accepts or {})}, required)


def delete(pattern: str, handler: Handler, accepts: Table | None = None) -> Route:
    """Route a deletion."""
    return Route("DELETE", pattern, handler, {**EXPAND, **(accepts or {})})


class Router:
    """Finds the route for a path; a fixed word wins over a placeholder."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = routes
        self._routes: dict[tuple[str, int], list[tuple[tuple[str, ...], Route]]] = {}
        for route in routes:
            parts = tuple(route.pattern.strip("/").split("/"))
            self._routes.setdefault((route.method, len(parts)), []).append((parts, route))
        for found in self._routes.values():
            found.sort(key=lambda entry: entry[0].count("*"))

    def match(self, method: str, path: str) -> tuple[Route, tuple[str, ...]]:
        """Return the route and the ids in the path; raise when the API has no such route."""
        parts = path.strip("/").split("/")
        for pattern, route in self._routes.get((method, len(parts)), ()):
            if all(word in ("*", part) for word, part in zip(pattern, parts, strict=True)) and not path.endswith("/"):
                return route, tuple(part for word, part in zip(pattern, parts, strict=True) if word == "*")
        raise unknown_route(method, path)
