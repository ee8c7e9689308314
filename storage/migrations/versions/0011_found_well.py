"""How often a resource was found in order, so that a refusal from before the last time is known to be old."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it; what was found so far does not matter."""
    with op.batch_alter_table("resources", recreate=_recreate()) as changed:
        changed.add_column(sa.Column("found_well", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("resources", recreate=_recreate()) as changed:
        changed.alter_column("found_well", server_default=None)


def downgrade() -> None:
    """Take it away again."""
    with op.batch_alter_table("resources", recreate=_recreate()) as changed:
        changed.drop_column("found_well")


def _recreate() -> str:
    return "always" if op.get_bind().dialect.name == "sqlite" else "never"
