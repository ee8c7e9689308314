"""The processor's deliveries: verified, recorded once, answered. The work comes later."""

import logging
from collections.abc import Callable, Sequence

from billing.routing import ROUTES
from billing.stripe.signature import ParsedEvent, verify
from core.clock import Clock
from core.dispatch import stripe_lane
from core.ids import EndpointId, Ids
from storage import webhook_endpoints
from storage.database import Database
from storage.inbox import GroupCommit, InboxKind, InboxRow, WorkStatus
from storage.stripe_accounts import StripeAccountRow
from storage.webhook_endpoints import ENVIRONMENT_ENDPOINT

_log = logging.getLogger(__name__)


class UnknownEndpoint(Exception):  # noqa: N818 - a guess at an address
    """Nobody was given this address."""


class StripeWebhooks:
    """Takes deliveries in. ``unix_now`` is real time: a signature's age is not the sandbox's to bend."""

    def __init__(
        self, *, db: Database, clock: Clock, ids: Ids, group: GroupCommit, environment_secrets: Sequence[str], unix_now: Callable[[], float]
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._group = group
        self._environment_secrets = tuple(environment_secrets)
        self._unix_now = unix_now
        self._endpoints: dict[str, tuple[EndpointId, tuple[str, ...], StripeAccountRow]] = {}

    async def receive(self, path: str, body: bytes, signature: str | None) -> None:
        """Verify and store one delivery; returns once it is durable. A second delivery of an event changes nothing.

        Raises UnknownEndpoint, billing.stripe.signature.BadWebhook (no row), storage.inbox.Busy.
        """
        endpoint, secrets, account = await self._endpoint(path)
        event = verify(body, signature, secrets, self._unix_now())
        await self._group.record(self._row(endpoint, account, event, body))

    def _row(self, endpoint: EndpointId, account: StripeAccountRow, event: ParsedEvent, body: bytes) -> InboxRow:
        now = self._clock.now()
        row = InboxRow(
            id=self._ids.new(), kind=InboxKind.STRIPE, source=f"stripe:{endpoint}", event_id=event.id, type=event.type,
            object_id=event.object_id, lane=stripe_lane(account.id), payload=body, received_at=now, due_at=now,
        )  # fmt: skip
        if event.account and event.account != account.external_id:
            _set_aside(row, f"of another account: {event.account}")
        elif account.external_id and event.livemode != account.livemode:
            _set_aside(row, "a test event for a live account" if account.livemode else "a live event for a test account")
        elif event.type not in ROUTES:
            row.status, row.done_at = WorkStatus.DONE, now
        return row

    async def _endpoint(self, path: str) -> tuple[EndpointId, tuple[str, ...], StripeAccountRow]:
        if path not in self._endpoints:
            async with self._db.reading() as session:
                row = await webhook_endpoints.by_path(session, path)
                account = await session.get(StripeAccountRow, row.stripe_account_id) if row else None
            if row is None or account is None:
                raise UnknownEndpoint
            own = tuple(secret.strip() for secret in (row.secrets or "").split(",") if secret.strip())
            secrets = self._environment_secrets if row.id == ENVIRONMENT_ENDPOINT else own
            if not account.external_id:
                return row.id, secrets, account  # not introduced yet: look again at the next delivery
            self._endpoints[path] = (row.id, secrets, account)
        return self._endpoints[path]


def _set_aside(row: InboxRow, why: str) -> None:
    row.status, row.error = WorkStatus.DEAD, why
    _log.error(
        "%s (%s, %s) is not worked off, it is %s; are the keys and the webhook's secret of one account?",
        row.id,
        row.event_id,
        row.type,
        why,
    )
