"""What is due of grants by gains and losses: with thousands due, the next few are found without looking at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_PENDING = sa.text("status = 'pending'")


def upgrade() -> None:
    """Index what is due by what is wanted too."""
    _again("lane", "wanted", "due_at")


def downgrade() -> None:
    """Index it by time alone."""
    _again("lane", "due_at")


def _again(*columns: str) -> None:
    op.drop_index("ix_grants_due", "grants")
    op.create_index("ix_grants_due", "grants", list(columns), sqlite_where=_PENDING, postgresql_where=_PENDING)
