"""One vendor account: its objects, its time, and the events that tell of every change."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sandbox.stripe.ids import Ids
from sandbox.stripe.policy import Policy
from sandbox.stripe.resource import Json, Resource, differences, snapshot
from sandbox.stripe.table import Table
from sandbox.stripe.timeline import Timeline

API_VERSION = "2026-10-28.endive"

TELLING = (".updated", ".refunded")
EventListener = Callable[["Account", Resource], None]


class Account:
    """Everything that belongs to one ``acct_``."""

    def __init__(self, identifier: str, ids: Ids, timeline: Timeline, policy: Policy) -> None:
        self.id = identifier
        self.ids = ids
        self.policy = policy
        self.main = timeline
        self.clocks: dict[str, Timeline] = {}
        self.platform: Account | None = None
        self.connected: list[Account] = []
        self.currency = "usd"
        self.name = "Sandbox"
        self.created = timeline.now()
        self.request: Json = {"id": None, "idempotency_key": None}
        self.page_base = "https://checkout.stripe.com"
        self.tables: dict[str, Table] = {}
        self.undelivered: OrderedDict[str, Resource] = OrderedDict()
        self.listeners: list[EventListener] = []

    def table(self, kind: str) -> Table:
        """Return the objects of ``kind``."""
        found = self.tables.get(kind)
        if found is None:
            found = self.tables[kind] = Table(kind)
        return found

    def find(self, identifier: str) -> Resource | None:
        """Return the object with this id, whatever its kind."""
        for table in self.tables.values():
            row = table.find(identifier)
            if row is not None:
                return row
        return None

    def timeline(self, customer: str | None) -> Timeline:
        """Return the time a customer's objects live in."""
        if not self.clocks or customer is None:
            return self.main
        row = self.table("customer").find(customer)
        clock = row["test_clock"] if row is not None else None
        return self.clocks.get(clock or "", self.main)

    def now(self, customer: str | None = None) -> int:
        """Return the Unix time for a customer's objects, or for the account."""
        return self.timeline(customer).now()

    def emit(self, kind: str, row: Resource, previous: Json | None = None) -> Resource:
        """Record an event about ``row`` as it is now; webhooks follow from it."""
        return self._record(kind, snapshot(row), previous)

    def _record(self, kind: str, row: Json, previous: Json | None) -> Resource:
        data: Json = {"object": row}
        if previous is not None:
            data["previous_attributes"] = previous
        customer = row["id"] if row["object"] == "customer" else row.get("customer")
        shown: Json = {
            "id": self.ids.new("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(customer),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": dict(self.request),
            "type": kind,
        }
        if self.platform is not None:
            shown["account"] = self.id
        event = self.table("event").add(Resource(shown, {"deliveries": {}}), type=kind)
        for listener in self.listeners:
            listener(self, event)
        return event

    @contextmanager
    def changing(self, row: Resource, *kinds: str) -> Iterator[None]:
        """Emit ``kinds`` when the block changed ``row``; those named for a change say what was before."""
        before = snapshot(row)
        yield
        after = snapshot(row)
        previous = differences(before, after)
        if previous:
            for kind in kinds:
                self._record(kind, after, previous if kind.endswith(TELLING) else None)
