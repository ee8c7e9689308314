"""The order of the record, what is left of a delivery that set something off, rounds, and deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OPEN = sa.text("done_at IS NULL")


def upgrade() -> None:
    """Add what is new."""
    _number()
    _causes()
    _rounds()
    _deliveries()


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("deliveries")
    op.drop_table("rounds")
    op.drop_table("causes")
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("audit") as audit:
            audit.drop_column("seq")
        _append_only()
        return
    op.drop_column("audit", "seq")


def _number() -> None:
    """Have the audit's rows say in which order they were written; those there were come before them, by their time."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("audit", recreate="always") as audit:  # SQLite numbers rows by itself
            audit.add_column(sa.Column("seq", sa.BigInteger(), nullable=True))
        _append_only()
        return
    op.add_column("audit", sa.Column("seq", sa.BigInteger(), nullable=True))
    op.execute("CREATE SEQUENCE audit_seq OWNED BY audit.seq")
    op.execute("ALTER TABLE audit ALTER COLUMN seq SET DEFAULT nextval('audit_seq')")


def _append_only() -> None:
    """The table was made anew, without its triggers."""
    for verb in ("update", "delete"):
        op.execute(f"CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END")


def _causes() -> None:
    op.create_table(
        "causes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_causes"),
    )


def _rounds() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "rounds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("space_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("looked", sa.Integer(), nullable=False),
        sa.Column("found", json, nullable=False),
        sa.Column("silent", json, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_rounds_community_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rounds"),
    )
    op.create_index("ix_rounds_community_id", "rounds", ["community_id", "started_at"], unique=False)
    op.create_index("uq_rounds_open", "rounds", ["community_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)


def _deliveries() -> None:
    """What was paid before is watched too: whoever is inside is found to be at the first look."""
    op.create_table(
        "deliveries",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("nudged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["community_id", "order_id"], ["orders.community_id", "orders.id"], name="fk_deliveries_order_id"),
        sa.PrimaryKeyConstraint("order_id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["due_at"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.execute(
        "INSERT INTO deliveries (order_id, community_id, paid_at, due_at, why, outcome) "
        "SELECT id, community_id, paid_at, paid_at, '', '' FROM orders WHERE status = 'paid' AND paid_at IS NOT NULL"
    )
