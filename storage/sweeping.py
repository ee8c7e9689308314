"""What a sweep does to many rows at once. Each batch is a few statements whatever its size, in the caller's transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Insert, Select, Table, Text, Update, bindparam, func, insert, literal, literal_column, select, update
from sqlalchemy.orm import aliased
from sqlalchemy.types import Integer

from core.dispatch import Lane
from core.events import NoticeKind
from core.ids import CauseId, CommunityId
from storage.audit import AuditRow
from storage.database import Session, will_wake
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.inbox import WorkStatus
from storage.invites import InviteRow
from storage.orders import OrderRow, OrderStatus
from storage.outbox import OutboxKind, OutboxRow
from storage.plans import PlanRow
from storage.types import Json, UTCDateTime, inline
from storage.upsert import table

BATCH = 1_000
"""Rows a transaction changes: half as many take half as long again in all, twice as many keep others from the one writer for too long."""

Tally = Counter[CommunityId]
"""How many rows of which community."""

_entitlements = table(EntitlementRow)
_orders = table(OrderRow)
_invites = table(InviteRow)
_ACTIVE = _entitlements.c.state == inline(EntitlementState.ACTIVE)
_OPEN = _orders.c.status == inline(OrderStatus.OPEN)
_RUNNING = _invites.c.expires_at.is_not(None) & _invites.c.ended_at.is_(None)
_NOW = bindparam("now", type_=UTCDateTime)
_PASSES = (_ACTIVE, _entitlements.c.source_kind != SourceKind.SUBSCRIPTION, _entitlements.c.expires_at <= _NOW)
_ORDERS = (_OPEN, _orders.c.expires_at <= _NOW, _orders.c.checkout_session_id.is_(None))
"""Open orders nobody can pay: the processor never opened a checkout for them."""
_INVITES = (_RUNNING, _invites.c.expires_at <= _NOW)


def _change(rows: Table, due: Select[Any], changes: Mapping[str, object], *also: ColumnElement[Any]) -> Update:
    """Change up to ``limit`` of the rows ``due`` names, leaving out those another transaction holds; give their ids and communities.

    They are named first, in a query of their own: PostgreSQL may run a subquery once for each row it looks at, and each run of one
    that skips what is locked and changed finds other rows, beyond the limit.
    """
    batch = due.limit(bindparam("limit", type_=Integer))
    mine = batch.with_for_update(skip_locked=True).cte("mine")  # SQLite has one writer and leaves the lock out
    return update(rows).where(rows.c.id.in_(select(mine.c.id))).values(**changes).returning(rows.c.id, rows.c.community_id, *also)


_END_PASSES = _change(
    _entitlements,
    select(_entitlements.c.id).where(*_PASSES).order_by(_entitlements.c.expires_at, _entitlements.c.id),
    {"state": EntitlementState.ENDED, "ended_at": _NOW, "cause_id": bindparam("cause")},
    _entitlements.c.lane,
)
_EXPIRE_ORDERS = _change(_orders, select(_orders.c.id).where(*_ORDERS).order_by(_orders.c.expires_at), {"status": OrderStatus.EXPIRED})
_END_INVITES = _change(_invites, select(_invites.c.id).where(*_INVITES).order_by(_invites.c.expires_at), {"ended_at": _NOW})


@dataclass(frozen=True, slots=True)
class Sweep:
    """One run: its moment and the cause of all that follows from it."""

    at: datetime
    cause: CauseId


async def passes_due(session: Session, now: datetime) -> Tally:
    """Count what :func:`end_passes` would end."""
    return await _count(session, _entitlements, _PASSES, now)


async def orders_due(session: Session, now: datetime) -> Tally:
    """Count what :func:`expire_orders` would expire."""
    return await _count(session, _orders, _ORDERS, now)


async def invites_due(session: Session, now: datetime) -> Tally:
    """Count what :func:`end_invites` would end."""
    return await _count(session, _invites, _INVITES, now)


async def end_passes(session: Session, sweep: Sweep, limit: int) -> Tally:
    """End what runs out by itself (every source but a subscription), oldest first: audited, the member reconciled and told."""
    row = _entitlements.c
    ended = (await session.execute(_END_PASSES, {"now": sweep.at, "limit": limit, "cause": sweep.cause})).all()
    if ended:
        among = row.id.in_([found.id for found in ended])
        facts = ("entitlement", "entitlement.changed", "its time was over")
        states = ({"state": str(EntitlementState.ACTIVE)}, {"state": str(EntitlementState.ENDED)})
        await session.execute(_audit(_entitlements, among, sweep, facts, states))
        await session.execute(_reconcile(among, sweep))
        await session.execute(_tell_ended(session, among, sweep))
        for lane in {found.lane for found in ended}:
            will_wake(session, Lane(lane))
    return Tally(CommunityId(found.community_id) for found in ended)


async def expire_orders(session: Session, sweep: Sweep, limit: int) -> Tally:
    """Expire open orders nobody can pay any more."""
    expired = (await session.execute(_EXPIRE_ORDERS, {"now": sweep.at, "limit": limit})).all()
    if expired:
        states = ({"status": str(OrderStatus.OPEN)}, {"status": str(OrderStatus.EXPIRED)})
        facts = ("order", "order.expired", "no checkout was opened for it")
        among = _orders.c.id.in_([found.id for found in expired])
        await session.execute(_audit(_orders, among, sweep, facts, states))
    return Tally(CommunityId(found.community_id) for found in expired)


async def end_invites(session: Session, sweep: Sweep, limit: int) -> Tally:
    """Mark links whose time is over, audited; they sell nothing since that moment anyway."""
    ended = (await session.execute(_END_INVITES, {"now": sweep.at, "limit": limit})).all()
    if ended:
        states = ({"state": "running"}, {"state": "ended"})
        facts = ("invite", "invite.ended", "its time was over")
        await session.execute(_audit(_invites, _invites.c.id.in_([found.id for found in ended]), sweep, facts, states))
    return Tally(CommunityId(found.community_id) for found in ended)


async def _count(session: Session, rows: Table, due: Sequence[ColumnElement[bool]], now: datetime) -> Tally:
    counted = select(rows.c.community_id, func.count()).where(*due).group_by(rows.c.community_id)
    return Tally({CommunityId(community): number for community, number in await session.execute(counted, {"now": now})})


def _name(sweep: Sweep, rows: Table, what: str) -> ColumnElement[str]:
    """An id for what follows from a row, the same however often it is worked out."""
    return literal(f"{sweep.cause}:{what}:", Text()) + rows.c.id


def _audit(
    rows: Table, among: ColumnElement[bool], sweep: Sweep, facts: tuple[str, str, str], states: tuple[dict[str, str], dict[str, str]]
) -> Insert:
    subject, action, answer = facts
    columns = {
        "id": _name(sweep, rows, "audit"),
        "community_id": rows.c.community_id,
        "at": literal(sweep.at, UTCDateTime()),
        "cause_id": literal(sweep.cause, Text()),
        "actor": literal("", Text()),
        "action": literal(action, Text()),
        "subject_kind": literal(subject, Text()),
        "subject_id": rows.c.id,
        "member_id": rows.c.member_id if "member_id" in rows.c else literal("", Text()),
        "before": literal(states[0], Json),
        "after": literal(states[1], Json),
        "answer": literal(answer, Text()),
    }
    return insert(table(AuditRow)).from_select(list(columns), select(*columns.values()).where(among))


def _outbox(sweep: Sweep, kind: OutboxKind, payload: ColumnElement[Any], dedupe: ColumnElement[Any]) -> dict[str, ColumnElement[Any]]:
    now = literal(sweep.at, UTCDateTime())
    return {
        "id": _name(sweep, _entitlements, kind),
        "community_id": _entitlements.c.community_id,
        "kind": literal(kind.value, Text()),
        "lane": _entitlements.c.lane,
        "subject": _entitlements.c.member_id,
        "payload": payload,
        "dedupe": dedupe,
        "status": literal(WorkStatus.PENDING.value, Text()),
        "undelivered": literal_column("false"),
        "created_at": now,
        "due_at": now,
        "attempts": literal_column("0"),
        "error": literal("", Text()),
        "cause_id": literal(sweep.cause, Text()),
    }


def _reconcile(among: ColumnElement[bool], sweep: Sweep) -> Insert:
    columns = _outbox(sweep, OutboxKind.RECONCILE, literal({}, Json), literal_column("NULL"))
    return insert(table(OutboxRow)).from_select(list(columns), select(*columns.values()).where(among))


def _tell_ended(session: Session, among: ColumnElement[bool], sweep: Sweep) -> Insert:
    """Tell once, of the last: nobody hears that a pass has ended while another still opens the same plan."""
    plan, other = table(PlanRow).c, aliased(_entitlements).c
    build = func.json_object if session.get_bind().dialect.name == "sqlite" else func.jsonb_build_object
    facts = build(literal_column("'plan'"), plan.name, literal_column("'why'"), literal_column("'ended'"))
    payload = build(literal_column("'kind'"), literal_column(f"'{NoticeKind.ENDED}'"), literal_column("'facts'"), facts)
    columns = _outbox(sweep, OutboxKind.NOTICE, payload, literal(f"ended:{sweep.cause}:", Text()) + _entitlements.c.id)
    row = _entitlements.c
    later = (other.expires_at > row.expires_at) | ((other.expires_at == row.expires_at) & (other.id > row.id))
    still = (other.state == EntitlementState.ACTIVE) | ((other.ended_at == row.ended_at) & later)
    plan_id = other.plan_id.concat("")  # keeps SQLite, which has no figures about either, from walking everybody of the plan by its index
    same = (other.member_id == row.member_id) & (plan_id == row.plan_id) & (other.id != row.id)
    source = select(*columns.values()).join_from(_entitlements, table(PlanRow), plan.id == row.plan_id)
    return insert(table(OutboxRow)).from_select(list(columns), source.where(among, ~select(other.id).where(same & still).exists()))
