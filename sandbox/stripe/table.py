"""All objects of one kind in one account, oldest first, with an index for each thing a list may be filtered by."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator

from sandbox.stripe.errors import no_such
from sandbox.stripe.resource import Resource


def by_age(row: Resource) -> int:
    """Order rows by creation."""
    return row.seq


class Table:
    """Objects of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.rows: list[Resource] = []
        self._by_id: dict[str, Resource] = {}
        self._indexes: defaultdict[str, defaultdict[object, list[Resource]]] = defaultdict(lambda: defaultdict(list))
        self._made = 0

    def add(self, row: Resource, **keys: object) -> Resource:
        """Store a new row, found later under each of ``keys``."""
        self._made += 1
        row.seq = self._made
        self.rows.append(row)
        self._by_id[row.id] = row
        for field, value in keys.items():
            self.link(row, field, value)
        return row

    def link(self, row: Resource, field: str, value: object) -> None:
        """Let ``where(field, value)`` find the row too; None is not indexed."""
        if value is None:
            return
        rows = self._indexes[field][value]
        if rows and rows[-1].seq > row.seq:
            insort(rows, row, key=by_age)
        elif not rows or rows[-1] is not row:
            rows.append(row)

    def unlink(self, row: Resource, field: str, value: object) -> None:
        """Undo :meth:`link`."""
        rows = self._indexes[field][value]
        place = bisect_left(rows, row.seq, key=by_age)
        if place < len(rows) and rows[place] is row:
            del rows[place]

    def remove(self, row: Resource) -> None:
        """Forget a row in the plain list and by id; indexes of deleted rows are left to their owner."""
        self._by_id.pop(row.id, None)
        place = bisect_left(self.rows, row.seq, key=by_age)
        if place < len(self.rows) and self.rows[place] is row:
            del self.rows[place]

    def where(self, field: str, value: object) -> list[Resource]:
        """Return the rows indexed under ``value``, oldest first."""
        return self._indexes[field].get(value, [])

    def indexed(self, field: str) -> bool:
        """Tell whether rows were ever indexed by ``field``."""
        return field in self._indexes

    def find(self, identifier: str) -> Resource | None:
        """Return the row, or None."""
        return self._by_id.get(identifier)

    def get(self, identifier: str, param: str = "id") -> Resource:
        """Return the row; raise resource_missing naming ``param``."""
        row = self._by_id.get(identifier)
        if row is None:
            raise no_such(self.kind, identifier, param)
        return row

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)
