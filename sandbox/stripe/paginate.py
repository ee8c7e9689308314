"""Cursor pagination: newest first, ``limit`` 1 to 100, ``starting_after`` or ``ending_before`` an id of the list."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import islice, takewhile

from sandbox.stripe.call import Call
from sandbox.stripe.errors import invalid
from sandbox.stripe.resource import Json, Resource, list_of
from sandbox.stripe.table import Table, by_age

MAX_LIMIT = 100
DEFAULT_LIMIT = 10
FOREVER = 1 << 62

Keep = Callable[[Resource], bool]


def everything(_row: Resource) -> bool:
    """Keep every row."""
    return True


def page(call: Call, table: Table, keep: Keep = everything, /, among: list[Resource] | None = None, **filters: object) -> Json:
    """Answer a list: rows that match every filter that is not None, the time range in ``created``, and ``keep``.

    A filter on an indexed field reads only the rows under that value; ``among`` (oldest first) is all there is to choose from.
    """
    given = {field: value for field, value in filters.items() if value is not None}
    indexed = [(field, value) for field, value in given.items() if table.indexed(field)]
    plain = [(field, value) for field, value in given.items() if not table.indexed(field)]
    rows = min((table.where(field, value) for field, value in indexed), key=len, default=table.rows if among is None else among)
    others = [table.where(field, value) for field, value in indexed]
    others = [found for found in others if found is not rows]
    within = _within(call.params.get("created"))

    def wanted(row: Resource) -> bool:
        return (
            all(row.get(field) == value for field, value in plain)
            and all(_holds(found, row) for found in others)
            and within(row)
            and keep(row)
        )

    return _cut(call, table, rows, wanted)


def _cut(call: Call, table: Table, rows: list[Resource], wanted: Keep) -> Json:
    limit = call.params.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid(f"Invalid limit: must be between 1 and {MAX_LIMIT}", "limit")
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after and before:
        raise invalid("You cannot give both starting_after and ending_before.", "ending_before")
    source: Iterable[Resource]
    if before:
        source = (row for row in _from(rows, table.get(before, "ending_before").seq + 1) if wanted(row))
    else:
        seq = table.get(after, "starting_after").seq if after else None
        oldest = 0 if call.account.clocks else _bounds(call.params.get("created"))[0]
        source = (row for row in takewhile(lambda row: row["created"] >= oldest, _down_to(rows, seq)) if wanted(row))
    found = list(islice(source, limit + 1))
    data = found[:limit]
    return list_of(call.path, data[::-1] if before else data, has_more=len(found) > limit)


def _from(rows: list[Resource], seq: int) -> Iterable[Resource]:
    for place in range(_place(rows, seq), len(rows)):
        yield rows[place]


def _down_to(rows: list[Resource], seq: int | None) -> Iterable[Resource]:
    for place in range((len(rows) if seq is None else _place(rows, seq)) - 1, -1, -1):
        yield rows[place]


def _place(rows: list[Resource], seq: int) -> int:
    return bisect_left(rows, seq, key=by_age)


def _holds(rows: list[Resource], row: Resource) -> bool:
    place = _place(rows, row.seq)
    return place < len(rows) and rows[place] is row


def _bounds(created: int | Json | None) -> tuple[int, int]:
    """Return the earliest and the latest ``created`` that a list may show. Without test clocks rows are in that order."""
    if isinstance(created, int):
        return created, created
    given = created or {}
    return max(given.get("gte", 0), given.get("gt", -1) + 1), min(given.get("lte", FOREVER), given.get("lt", FOREVER + 1) - 1)


def _within(created: int | Json | None) -> Keep:
    low, high = _bounds(created)
    return lambda row: low <= row["created"] <= high
