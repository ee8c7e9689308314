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
