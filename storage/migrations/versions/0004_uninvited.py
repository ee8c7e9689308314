"""Who is in what is sold without having been let in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "uninvited",
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id", "resource_id"], ["resources.community_id", "resources.id"], name="fk_uninvited_resource_id"
        ),
        sa.PrimaryKeyConstraint("resource_id", "external_id", name="pk_uninvited"),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("uninvited")
