"""What only a community's owner can do."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OPEN = sa.text("done_at IS NULL")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "owner_tasks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["community_id", "grant_id"], ["grants.community_id", "grants.id"], name="fk_owner_tasks_grant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_owner_tasks"),
    )
    op.create_index("uq_owner_tasks_open", "owner_tasks", ["grant_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("ix_owner_tasks_remind_at", "owner_tasks", ["remind_at"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN)


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("owner_tasks")
