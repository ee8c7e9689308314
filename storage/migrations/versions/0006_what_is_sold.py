"""Several prices for a plan, trials, seats, gifts, coupons, plan changes, pauses and approvals."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ON_SALE = sa.text("active")
_TAKING = sa.text("status IN ('open', 'pending')")
_IN_LINE = sa.text("state IN ('waiting', 'offered')")
_LIVE = sa.text("ended_at IS NULL")
_TO_DO = sa.text("done_at IS NULL")


def _columns() -> dict[str, tuple[sa.Column, ...]]:
    return {
        "communities": (
            sa.Column("save_percent", sa.Integer(), nullable=True),
            sa.Column("save_months", sa.Integer(), nullable=True),
            sa.Column("longest_pause", sa.Integer(), nullable=True),
        ),
        "plans": (
            sa.Column("trial_card", sa.Boolean(), nullable=False, server_default=sa.true()),
            sa.Column("seats", sa.Integer(), nullable=True),
            sa.Column("approval", sa.Boolean(), nullable=False, server_default=sa.false()),
        ),
        "prices": (
            sa.Column("interval_unit", sa.Text(), nullable=True),
            sa.Column("interval_count", sa.Integer(), nullable=True),
            sa.Column("minimum", sa.BigInteger(), nullable=True),
            sa.Column("parent_id", sa.Text(), nullable=True),
            sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        ),
        "subscriptions": (
            sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
            sa.Column("paid_until", sa.DateTime(timezone=True), nullable=True),
            sa.Column("next_price_id", sa.Text(), nullable=True),
        ),
    }


def upgrade() -> None:
    """Add what is new; a version before this one goes on beside it."""
    for table, columns in _columns().items():
        with op.batch_alter_table(table, recreate=_recreate()) as changed:
            for column in columns:
                changed.add_column(column)
    op.execute(
        "UPDATE prices SET interval_unit = (SELECT plans.interval_unit FROM plans WHERE plans.id = prices.plan_id), "
        "interval_count = (SELECT plans.interval_count FROM plans WHERE plans.id = prices.plan_id), "
        "created_at = (SELECT plans.created_at FROM plans WHERE plans.id = prices.plan_id)"
    )
    _partial("uq_prices_on_sale", "prices", ["plan_id", "currency", "interval_unit", "interval_count"], _ON_SALE, unique=True)
    _partial("ix_orders_plan_id", "orders", ["plan_id"], _TAKING)
    op.create_index("ix_subscriptions_plan_id", "subscriptions", ["plan_id"], unique=False)
    for make in (_trials, _waitlist_entries, _gifts, _extensions, _coupons, _applications, _price_moves, _cancellations):
        make()


def downgrade() -> None:
    """Take it away again."""
    for table in ("cancellations", "price_moves", "applications", "coupons", "extensions", "gifts", "waitlist_entries", "trials"):
        op.drop_table(table)
    op.drop_index("ix_subscriptions_plan_id", table_name="subscriptions")
    op.drop_index("ix_orders_plan_id", table_name="orders")
    op.drop_index("uq_prices_on_sale", table_name="prices")
    for table, columns in _columns().items():
        with op.batch_alter_table(table, recreate=_recreate()) as changed:
            for column in columns:
                changed.drop_column(column.name)


def _recreate() -> str:
    return "always" if op.get_bind().dialect.name == "sqlite" else "never"


def _partial(name: str, table: str, columns: list[str], where: sa.TextClause, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _scoped(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["community_id", column], [f"{target}.community_id", f"{target}.id"], name=f"fk_{table}_{column}")


def _owned(table: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint("community_id", "id", name=f"uq_{table}_community_id_id")


def _trials() -> None:
    op.create_table(
        "trials",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _scoped("trials", "member_id", "members"),
        _scoped("trials", "order_id", "orders"),
        sa.PrimaryKeyConstraint("id", name="pk_trials"),
        sa.UniqueConstraint("community_id", "mark", name="uq_trials_mark"),
    )
    op.create_index("ix_trials_order_id", "trials", ["order_id"], unique=False)


def _waitlist_entries() -> None:
    op.create_table(
        "waitlist_entries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True),
        _scoped("waitlist_entries", "plan_id", "plans"),
        _scoped("waitlist_entries", "member_id", "members"),
        _scoped("waitlist_entries", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_waitlist_entries"),
        _owned("waitlist_entries"),
    )
    _partial("uq_waitlist_entries_in_line", "waitlist_entries", ["plan_id", "member_id"], _IN_LINE, unique=True)


def _gifts() -> None:
    op.create_table(
        "gifts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("giver", sa.String(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("interval_unit", sa.Text(), nullable=False),
        sa.Column("interval_count", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("for_account_id", sa.Text(), nullable=True),
        sa.Column("code_hash", sa.String(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("checkout_session_id", sa.String(), nullable=True),
        sa.Column("checkout_url", sa.String(), nullable=False),
        sa.Column("stripe_payment_intent_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        _scoped("gifts", "member_id", "members"),
        _scoped("gifts", "plan_id", "plans"),
        _scoped("gifts", "for_account_id", "accounts"),
        _scoped("gifts", "taken_by", "members"),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["stripe_accounts.id"], name="fk_gifts_stripe_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_gifts"),
        _owned("gifts"),
        sa.UniqueConstraint("code_hash", name="uq_gifts_code_hash"),
        sa.UniqueConstraint("stripe_account_id", "checkout_session_id", name="uq_gifts_checkout"),
    )
    op.create_index("ix_gifts_plan_id", "gifts", ["plan_id"], unique=False)
    op.create_index("ix_gifts_member_id", "gifts", ["member_id"], unique=False)


def _extensions() -> None:
    op.create_table(
        "extensions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("undoes", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause_id", sa.Text(), nullable=False),
        _scoped("extensions", "subscription_id", "subscriptions"),
        sa.PrimaryKeyConstraint("id", name="pk_extensions"),
        sa.UniqueConstraint("source_id", "undoes", name="uq_extensions_source"),
    )
    _partial("ix_extensions_to_do", "extensions", ["at"], _TO_DO)
    op.create_index("ix_extensions_subscription_id", "extensions", ["subscription_id"], unique=False)


def _coupons() -> None:
    op.create_table(
        "coupons",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("months", sa.Integer(), nullable=True),
        sa.Column("plan_id", sa.Text(), nullable=True),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stripe_coupon_id", sa.String(), nullable=False),
        sa.Column("stripe_promotion_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_coupons_community_id"),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["stripe_accounts.id"], name="fk_coupons_stripe_account_id"),
        _scoped("coupons", "plan_id", "plans"),
        sa.PrimaryKeyConstraint("id", name="pk_coupons"),
        _owned("coupons"),
    )
    _partial("uq_coupons_code", "coupons", ["stripe_account_id", "code"], _LIVE, unique=True)
    op.create_index("ix_coupons_community_id", "coupons", ["community_id", "created_at"], unique=False)


def _applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        _scoped("applications", "plan_id", "plans"),
        _scoped("applications", "member_id", "members"),
        _scoped("applications", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_applications"),
        _owned("applications"),
        sa.UniqueConstraint("plan_id", "member_id", name="uq_applications_member"),
    )


def _price_moves() -> None:
    op.create_table(
        "price_moves",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("price_id", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=False),
        _scoped("price_moves", "subscription_id", "subscriptions"),
        _scoped("price_moves", "price_id", "prices"),
        sa.PrimaryKeyConstraint("id", name="pk_price_moves"),
        sa.UniqueConstraint("subscription_id", "price_id", name="uq_price_moves_once"),
    )
    _partial("ix_price_moves_due", "price_moves", ["due_at"], _TO_DO)


def _cancellations() -> None:
    op.create_table(
        "cancellations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _scoped("cancellations", "member_id", "members"),
        _scoped("cancellations", "subscription_id", "subscriptions"),
        sa.PrimaryKeyConstraint("id", name="pk_cancellations"),
    )
    op.create_index("ix_cancellations_subscription_id", "cancellations", ["subscription_id"], unique=False)
