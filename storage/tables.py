"""Every table, so that whoever needs the whole schema (migrations, tests) imports one module."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from storage import (
    accounts,
    audit,
    communities,
    credentials,
    customers,
    entitlements,
    grants,
    inbox,
    invites,
    lanes,
    ledger,
    members,
    orders,
    outbox,
    plan_resources,
    plans,
    prices,
    resources,
    spaces,
    states,
    stripe_accounts,
    subscriptions,
    tips,
    webhook_endpoints,
)

MODULES = (
    accounts, audit, communities, credentials, customers, entitlements, grants, inbox, invites, lanes, ledger, members, orders,
    outbox, plan_resources, plans, prices, resources, spaces, states, stripe_accounts, subscriptions, tips, webhook_endpoints,
)  # fmt: skip


def metadata() -> MetaData:
    """Return the schema with every table in it."""
    return SQLModel.metadata
