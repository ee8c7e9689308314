"""Every table, so that whoever needs the whole schema (migrations, tests) imports one module."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from storage import (
    account_changes,
    accounts,
    applications,
    audit,
    cancellations,
    causes,
    communities,
    coupons,
    credentials,
    customers,
    deliveries,
    disputes,
    entitlements,
    extensions,
    gifts,
    grants,
    inbox,
    invites,
    lanes,
    ledger,
    members,
    orders,
    outbox,
    owner_tasks,
    plan_resources,
    plans,
    price_moves,
    prices,
    resources,
    rounds,
    spaces,
    states,
    stripe_accounts,
    subscriptions,
    tips,
    trials,
    uninvited,
    waitlist_entries,
    webhook_endpoints,
)

MODULES = (
    account_changes, accounts, applications, audit, cancellations, causes, communities, coupons, credentials, customers, deliveries,
    disputes, entitlements, extensions, gifts, grants, inbox, invites, lanes, ledger, members, orders, outbox, owner_tasks,
    plan_resources, plans, price_moves, prices, resources, rounds, spaces, states, stripe_accounts, subscriptions, tips, trials,
    uninvited, waitlist_entries, webhook_endpoints,
)  # fmt: skip


def metadata() -> MetaData:
    """Return the schema with every table in it."""
    return SQLModel.metadata


def rows() -> dict[str, type[SQLModel]]:
    """Return the row class of every table, by the table's name."""
    found = (one for module in MODULES for one in vars(module).values() if isinstance(one, type) and issubclass(one, SQLModel))
    return {str(one.__tablename__): one for one in found if str(one.__tablename__) in SQLModel.metadata.tables}
