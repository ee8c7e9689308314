"""Every rule the database itself keeps: each duplicate and each impossible value is refused, and what must be possible is."""

from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from core.payments import IntervalUnit
from storage.account_changes import AccountChangeRow
from storage.accounts import AccountRow
from storage.applications import ApplicationRow
from storage.coupons import CouponRow
from storage.customers import CustomerRow
from storage.database import Database
from storage.entitlements import EntitlementRow
from storage.extensions import ExtensionRow
from storage.gifts import GiftRow
from storage.grants import GrantRow
from storage.inbox import InboxRow
from storage.invites import InviteRow
from storage.ledger import LedgerRow
from storage.members import MemberRow
from storage.orders import OrderRow, OrderStatus
from storage.outbox import OutboxRow
from storage.owner_tasks import OwnerTaskRow
from storage.plans import PlanRow, PlanStatus
from storage.price_moves import PriceMoveRow
from storage.prices import PriceRow
from storage.resources import ResourceRow
from storage.rounds import RoundRow
from storage.spaces import SpaceRow
from storage.subscriptions import SubscriptionRow
from storage.tables import metadata
from storage.tips import TipRow
from storage.trials import TrialRow
from storage.waitlist_entries import WaitlistEntryRow, WaitlistState
from storage.webhook_endpoints import WebhookEndpointRow
from tests.storage.rows import AT, changed, everything, store

Changes = dict[str, Any]
# name: the table; what makes a second row differ while the rule is still broken; what more makes it fine
UNIQUE: dict[str, tuple[type[SQLModel], Changes, Changes]] = {
    "uq_account_changes_under_way": (AccountChangeRow, {}, {"done_at": AT}),
    "uq_accounts_external": (AccountRow, {"member_id": "second-member", "active": False}, {"external_id": "44"}),
    "uq_accounts_active": (AccountRow, {"external_id": "44"}, {"active": False}),
    "uq_applications_member": (ApplicationRow, {}, {"member_id": "second-member"}),
    "uq_coupons_code": (CouponRow, {"percent": 10}, {"code": "ANOTHER"}),
    "uq_customers_stripe": (CustomerRow, {"member_id": "second-member"}, {"stripe_customer_id": "cus_2"}),
    "uq_customers_member": (CustomerRow, {"stripe_customer_id": "cus_2"}, {"member_id": "second-member"}),
    "uq_entitlements_source": (EntitlementRow, {"member_id": "second-member"}, {"source_id": "sub_2"}),
    "uq_extensions_source": (ExtensionRow, {"seconds": 1}, {"undoes": True}),
    "uq_gifts_checkout": (GiftRow, {"amount": 1, "code_hash": None}, {"checkout_session_id": None}),
    "uq_gifts_code_hash": (GiftRow, {"amount": 1, "checkout_session_id": None}, {"code_hash": None}),
    "uq_grants_account_resource": (GrantRow, {"wanted": False}, {"account_id": "second-account"}),
    "uq_inbox_event": (InboxRow, {"payload": b"another", "source": "stripe:env"}, {"source": "stripe:other"}),
    "uq_invites_code": (InviteRow, {"tag": "another"}, {"code": "another"}),
    "uq_ledger_cause": (LedgerRow, {"amount": 1}, {"cause": "fee:pi_a"}),
    "uq_orders_checkout": (OrderRow, {"status": OrderStatus.PAID}, {"checkout_session_id": "cs_2"}),
    "uq_orders_open": (OrderRow, {"checkout_session_id": None}, {"status": OrderStatus.EXPIRED}),
    "uq_outbox_dedupe": (OutboxRow, {"subject": "another"}, {"dedupe": None}),
    "uq_owner_tasks_open": (OwnerTaskRow, {}, {"done_at": AT}),
    "uq_plans_name": (PlanRow, {"name": "GOLD"}, {"status": PlanStatus.ARCHIVED}),
    "uq_price_moves_once": (PriceMoveRow, {}, {"price_id": "second-price"}),
    "uq_prices_on_sale": (PriceRow, {"amount": 1, "stripe_price_id": None}, {"interval_unit": IntervalUnit.YEAR}),
    "uq_prices_stripe": (PriceRow, {"amount": 1, "active": False}, {"stripe_price_id": None}),
    "uq_resources_external": (ResourceRow, {"name": "another"}, {"external_id": "10"}),
    "uq_rounds_open": (RoundRow, {}, {"done_at": AT}),
    "uq_spaces_external": (SpaceRow, {"name": "another"}, {"realm": "T1"}),
    "uq_subscriptions_stripe": (SubscriptionRow, {"status": "canceled"}, {"stripe_subscription_id": "sub_2"}),
    "uq_tips_checkout": (TipRow, {"amount": 1}, {"checkout_session_id": None}),
    "uq_trials_mark": (TrialRow, {}, {"mark": "member:n"}),
    "uq_waitlist_entries_in_line": (WaitlistEntryRow, {}, {"state": WaitlistState.LAPSED}),
    "uq_webhook_endpoints_path": (WebhookEndpointRow, {"secrets": None}, {"path": "another"}),
}
CHECKS: dict[str, tuple[type[SQLModel], Changes, Changes]] = {
    "ck_ledger_amount": (LedgerRow, {"amount": 0, "cause": "fee:1"}, {"amount": 1}),
    "ck_ledger_sides": (LedgerRow, {"debit": "income", "cause": "fee:1"}, {"debit": "fees"}),
    "ck_prices_amount": (PriceRow, {"amount": -1, "stripe_price_id": None, "active": False}, {"amount": 1}),
    "ck_tips_amount": (TipRow, {"amount": 0, "checkout_session_id": None}, {"amount": 1}),
}


def rules() -> set[str]:
    """The names of every rule in the schema but those that only let scoped foreign keys point at a table."""
    named = {
        str(found.name)
        for table in metadata().tables.values()
        for found in table.constraints
        if isinstance(found, UniqueConstraint | CheckConstraint)
    }
    named |= {str(index.name) for table in metadata().tables.values() for index in table.indexes if index.unique}
    return {name for name in named if not name.endswith("_community_id_id")}


def besides() -> list[SQLModel]:
    """A second member of the same community, with an account, and a second price."""
    [member] = [row for row in everything("a") if isinstance(row, MemberRow)]
    [account] = [row for row in everything("a") if isinstance(row, AccountRow)]
    [price] = [row for row in everything("a") if isinstance(row, PriceRow)]
    return [
        changed(member, id="second-member"),
        changed(account, id="second-account", member_id="second-member", external_id="43"),
        changed(price, id="second-price", stripe_price_id="price_second", active=False),
    ]


def row_of(kind: type[SQLModel], changes: Changes) -> SQLModel:
    [row] = [row for row in everything("a") if isinstance(row, kind)]
    return changed(row, id="second", **changes)


def test_every_rule_is_tried_here() -> None:
    assert rules() == UNIQUE.keys() | CHECKS.keys()


@pytest.mark.parametrize("name", sorted(UNIQUE | CHECKS))
async def test_the_rule_refuses_what_it_is_there_for_and_nothing_more(database: Database, name: str) -> None:
    kind, broken, mended = (UNIQUE | CHECKS)[name]
    await store(database, [*everything("a"), *besides()])
    with pytest.raises(IntegrityError) as refused:
        await store(database, [row_of(kind, broken)])
    assert named_in(refused.value, name, database)
    await store(database, [row_of(kind, broken | mended)])


def named_in(error: IntegrityError, name: str, db: Database) -> bool:
    """PostgreSQL names the rule; SQLite names a check, and the columns of a unique rule."""
    if name in CHECKS or not db.sqlite:
        return name in str(error.orig)
    kind = UNIQUE[name][0]
    table = metadata().tables[str(kind.__tablename__)]
    found = [rule for rule in (*table.constraints, *table.indexes) if isinstance(rule, UniqueConstraint | Index) and rule.name == name]
    return str(error.orig).endswith(", ".join(f"{table.name}.{column.name}" for column in found[0].columns))
