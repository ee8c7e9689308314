"""What a failed renewal asks for, and where it is paid."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it."""
    with op.batch_alter_table("subscriptions", recreate=_recreate()) as changed:
        changed.add_column(sa.Column("owed", sa.BigInteger(), nullable=True))
        changed.add_column(sa.Column("owed_currency", sa.String(), nullable=False, server_default=""))
        changed.add_column(sa.Column("pay_url", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("subscriptions", recreate=_recreate()) as changed:
        changed.alter_column("owed_currency", server_default=None)
        changed.alter_column("pay_url", server_default=None)


def downgrade() -> None:
    """Take it away again."""
    with op.batch_alter_table("subscriptions", recreate=_recreate()) as changed:
        for column in ("pay_url", "owed_currency", "owed"):
            changed.drop_column(column)


def _recreate() -> str:
    return "always" if op.get_bind().dialect.name == "sqlite" else "never"
