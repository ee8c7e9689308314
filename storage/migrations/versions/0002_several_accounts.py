"""One person with several accounts, and the creator's own link into a space."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_UNDER_WAY = sa.text("done_at IS NULL")


def upgrade() -> None:
    """Add what is new."""
    _changes()
    with op.batch_alter_table("spaces") as spaces:
        spaces.add_column(sa.Column("invite_link", sa.String(), nullable=False, server_default=""))
        spaces.add_column(sa.Column("invite_link_set_at", sa.DateTime(timezone=True), nullable=True))
        spaces.add_column(sa.Column("invite_link_uses", sa.Integer(), nullable=False, server_default="0"))
        spaces.add_column(sa.Column("invite_link_told", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("spaces") as spaces:  # the rows that were there have their values now
        for column in ("invite_link", "invite_link_uses", "invite_link_told"):
            spaces.alter_column(column, server_default=None)


def downgrade() -> None:
    """Take it away again."""
    with op.batch_alter_table("spaces") as spaces:
        for column in ("invite_link", "invite_link_set_at", "invite_link_uses", "invite_link_told"):
            spaces.drop_column(column)
    op.drop_table("account_changes")


def _changes() -> None:
    op.create_table(
        "account_changes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("realm", sa.String(), nullable=False),
        sa.Column("old_id", sa.Text(), nullable=False),
        sa.Column("new_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_account_changes_community_id"),
        sa.ForeignKeyConstraint(["community_id", "member_id"], ["members.community_id", "members.id"], name="fk_account_changes_member_id"),
        sa.ForeignKeyConstraint(["community_id", "old_id"], ["accounts.community_id", "accounts.id"], name="fk_account_changes_old_id"),
        sa.ForeignKeyConstraint(["community_id", "new_id"], ["accounts.community_id", "accounts.id"], name="fk_account_changes_new_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account_changes"),
    )
    op.create_index("ix_account_changes_member_id", "account_changes", ["member_id", "at"], unique=False)
    op.create_index(
        "uq_account_changes_under_way",
        "account_changes",
        ["member_id", "platform", "realm"],
        unique=True,
        sqlite_where=_UNDER_WAY,
        postgresql_where=_UNDER_WAY,
    )
