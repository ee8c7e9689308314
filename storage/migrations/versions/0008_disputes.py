"""Disputes and early fraud warnings."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.create_table(
        "disputes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("stripe_dispute_id", sa.String(), nullable=False),
        sa.Column("source_kind", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        _scoped("member_id", "members"),
        _scoped("order_id", "orders"),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["stripe_accounts.id"], name="fk_disputes_stripe_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_disputes"),
        sa.UniqueConstraint("community_id", "id", name="uq_disputes_community_id_id"),
        sa.UniqueConstraint("stripe_account_id", "stripe_dispute_id", name="uq_disputes_stripe"),
    )
    op.create_index("ix_disputes_source", "disputes", ["source_kind", "source_id"])
    op.create_index("ix_disputes_order_id", "disputes", ["order_id"])


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("disputes")


def _scoped(column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["community_id", column], [f"{target}.community_id", f"{target}.id"], name=f"fk_disputes_{column}")
