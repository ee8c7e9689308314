"""Writes every exchange with a vendor's API as one JSON line, for a checker to hold against the vendor's own description."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer; ``path`` as the vendor's API has it (Stripe with /v1, Discord after /api/v10)."""

    service: str
    method: str
    path: str
    query: str
    request_content_type: str
    request_body: str | None
    status: int
    response_content_type: str
    response_body: str | None
    fault: bool = False


class Recorder:
    """Appends exchanges to a file; without a path it writes nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = path.open("ab", buffering=0) if path else None  # one write a line: several processes may share the file

    def write(self, exchange: Exchange) -> None:
        """Append one exchange."""
        if self._file:
            self._file.write(f"{json.dumps(asdict(exchange))}\n".encode())

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
            self._file = None
