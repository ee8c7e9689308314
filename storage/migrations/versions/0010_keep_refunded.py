"""Whether a refund in full ends what it paid for."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it; until somebody says otherwise it does."""
    with op.batch_alter_table("communities", recreate=_recreate()) as changed:
        changed.add_column(sa.Column("keep_refunded", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("communities", recreate=_recreate()) as changed:
        changed.alter_column("keep_refunded", server_default=None)


def downgrade() -> None:
    """Take it away again."""
    with op.batch_alter_table("communities", recreate=_recreate()) as changed:
        changed.drop_column("keep_refunded")


def _recreate() -> str:
    return "always" if op.get_bind().dialect.name == "sqlite" else "never"
