"""Counts of requests, for whoever watches the machine from the machine."""

from collections import Counter

from aiohttp import web


class Counters:
    """Requests by method, route and status."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()

    def count(self, method: str, route: str, status: int) -> None:
        """Count one answered request; ``route`` is the pattern, so that there are few."""
        self._requests[method, route, status] += 1

    def text(self) -> str:
        """Return the counts in Prometheus' text format."""
        lines = ["# HELP doorman_requests_total Requests answered.", "# TYPE doorman_requests_total counter"]
        for (method, route, status), number in sorted(self._requests.items()):
            lines.append(f'doorman_requests_total{{method="{method}",route="{route}",status="{status}"}} {number}')
        return "\n".join(lines) + "\n"


def method_of(request: web.Request) -> str:
    """Return the method, or ``other`` for a word nobody knows: they must not become ever more counters."""
    return request.method if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"


def route_of(request: web.Request) -> str:
    """Return the pattern of the route, never the path: paths hold codes."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"
