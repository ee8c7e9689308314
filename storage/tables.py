"""Every table, so that whoever needs the whole schema (migrations, tests) imports one module."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from storage import (
    account_changes,
    accounts,
    audit,
    causes,
    communities,
    credentials,
    customers,
    deliveries,
    entitlements,
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
    prices,
    resources,
    rounds,
    spaces,
    states,
    stripe_accounts,
    subscriptions,
    tips,
    uninvited,
    webhook_endpoints,
)

MODULES = (
    account_changes, accounts, audit, causes, communities, credentials, customers, deliveries, entitlements, grants, inbox, invites,
    lanes, ledger, members, orders, outbox, owner_tasks, plan_resources, plans, prices, resources, rounds, spaces, states,
    stripe_accounts, subscriptions, tips, uninvited, webhook_endpoints,
)  # fmt: skip


def metadata() -> MetaData:
    """Return the schema with every table in it."""
    return SQLModel.metadata
