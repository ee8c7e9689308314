"""Every table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _browsers() -> None:
    op.create_table(
        "browsers",
        sa.Column("browser_hash", sa.String(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("realm", sa.String(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("browser_hash", name="pk_browsers"),
    )
    op.create_index("ix_browsers_expires_at", "browsers", ["expires_at"], unique=False)


def _communities() -> None:
    op.create_table(
        "communities",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=True),
        sa.Column("notice_space_id", sa.Text(), nullable=True),
        sa.Column("notice_channel", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_reason", sa.String(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_communities"),
    )


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("platform", "subject", "purpose", name="pk_credentials"),
    )
    op.create_index("ix_credentials_expires_at", "credentials", ["expires_at"], unique=False)


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("source", "event_id", name="uq_inbox_event"),
    )
    op.create_index(
        "ix_inbox_due",
        "inbox",
        ["lane", "due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], unique=False)


def _lanes() -> None:
    op.create_table(
        "lanes",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("lane", name="pk_lanes"),
    )


def _states() -> None:
    op.create_table(
        "states",
        sa.Column("state_hash", sa.String(), nullable=False),
        sa.Column("browser_hash", sa.String(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_states"),
    )
    op.create_index("ix_states_expires_at", "states", ["expires_at"], unique=False)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("before", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("after", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_audit_community_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_cause_id", "audit", ["cause_id"], unique=False)
    op.create_index("ix_audit_community_id", "audit", ["community_id", "at"], unique=False)
    op.create_index("ix_audit_subject", "audit", ["subject_kind", "subject_id", "at"], unique=False)


def _members() -> None:
    op.create_table(
        "members",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_members_community_id"),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
        sa.UniqueConstraint("community_id", "id", name="uq_members_community_id_id"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("dedupe", sa.String(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("undelivered", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_outbox_community_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["lane", "due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("ix_outbox_created_at", "outbox", ["created_at"], unique=False)
    op.create_index("ix_outbox_subject", "outbox", ["subject"], unique=False)
    op.create_index("uq_outbox_dedupe", "outbox", ["dedupe"], unique=True)


def _spaces() -> None:
    op.create_table(
        "spaces",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("realm", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("installer", sa.Text(), nullable=False),
        sa.Column("connected", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_spaces_community_id"),
        sa.PrimaryKeyConstraint("id", name="pk_spaces"),
        sa.UniqueConstraint("community_id", "id", name="uq_spaces_community_id_id"),
        sa.UniqueConstraint("platform", "realm", "external_id", name="uq_spaces_external"),
    )


def _stripe_accounts() -> None:
    op.create_table(
        "stripe_accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("events_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("full_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_stripe_accounts_community_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stripe_accounts"),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("realm", sa.String(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["community_id", "member_id"], ["members.community_id", "members.id"], name="fk_accounts_member_id"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("community_id", "id", name="uq_accounts_community_id_id"),
        sa.UniqueConstraint("community_id", "platform", "realm", "external_id", name="uq_accounts_external"),
    )
    op.create_index(
        "uq_accounts_active",
        "accounts",
        ["member_id", "platform", "realm"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )


def _customers() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("stripe_customer_id", sa.String(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["community_id", "member_id"], ["members.community_id", "members.id"], name="fk_customers_member_id"),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["stripe_accounts.id"], name="fk_customers_stripe_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
        sa.UniqueConstraint("member_id", "stripe_account_id", "currency", name="uq_customers_member"),
        sa.UniqueConstraint("stripe_account_id", "stripe_customer_id", name="uq_customers_stripe"),
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("debit", sa.String(), nullable=False),
        sa.Column("credit", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_ledger_amount"),
        sa.CheckConstraint("debit <> credit", name="ck_ledger_sides"),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_ledger_community_id"),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["stripe_accounts.id"], name="fk_ledger_stripe_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger"),
        sa.UniqueConstraint("stripe_account_id", "cause", name="uq_ledger_cause"),
    )
    op.create_index("ix_ledger_community_id", "ledger", ["community_id", "at"], unique=False)


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("interval_unit", sa.Text(), nullable=False),
        sa.Column("interval_count", sa.Integer(), nullable=False),
        sa.Column("trial_days", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("stripe_product_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_plans_community_id"),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["stripe_accounts.id"], name="fk_plans_stripe_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
        sa.UniqueConstraint("community_id", "id", name="uq_plans_community_id_id"),
    )
    op.create_index(
        "uq_plans_name",
        "plans",
        ["community_id", "name_key"],
        unique=True,
        sqlite_where=sa.text("status <> 'archived'"),
        postgresql_where=sa.text("status <> 'archived'"),
    )


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("space_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("problem_code", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["community_id", "space_id"], ["spaces.community_id", "spaces.id"], name="fk_resources_space_id"),
        sa.PrimaryKeyConstraint("id", name="pk_resources"),
        sa.UniqueConstraint("community_id", "id", name="uq_resources_community_id_id"),
        sa.UniqueConstraint("space_id", "kind", "external_id", name="uq_resources_external"),
    )


def _tips() -> None:
    op.create_table(
        "tips",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("space_id", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("checkout_session_id", sa.String(), nullable=True),
        sa.Column("checkout_url", sa.String(), nullable=False),
        sa.Column("stripe_payment_intent_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name="ck_tips_amount"),
        sa.ForeignKeyConstraint(["community_id", "member_id"], ["members.community_id", "members.id"], name="fk_tips_member_id"),
        sa.ForeignKeyConstraint(["community_id", "space_id"], ["spaces.community_id", "spaces.id"], name="fk_tips_space_id"),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_tips_community_id"),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["stripe_accounts.id"], name="fk_tips_stripe_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tips"),
        sa.UniqueConstraint("stripe_account_id", "checkout_session_id", name="uq_tips_checkout"),
    )
    op.create_index("ix_tips_community_id", "tips", ["community_id"], unique=False)
    op.create_index("ix_tips_member_id", "tips", ["member_id", "created_at"], unique=False)


def _webhook_endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["stripe_accounts.id"], name="fk_webhook_endpoints_stripe_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
        sa.UniqueConstraint("path", name="uq_webhook_endpoints_path"),
    )


def _entitlements() -> None:
    op.create_table(
        "entitlements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["community_id", "member_id"], ["members.community_id", "members.id"], name="fk_entitlements_member_id"),
        sa.ForeignKeyConstraint(["community_id", "plan_id"], ["plans.community_id", "plans.id"], name="fk_entitlements_plan_id"),
        sa.PrimaryKeyConstraint("id", name="pk_entitlements"),
        sa.UniqueConstraint("community_id", "id", name="uq_entitlements_community_id_id"),
        sa.UniqueConstraint("source_kind", "source_id", name="uq_entitlements_source"),
    )
    op.create_index(
        "ix_entitlements_due",
        "entitlements",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index("ix_entitlements_member_id", "entitlements", ["member_id"], unique=False)
    op.create_index("ix_entitlements_plan_id", "entitlements", ["plan_id"], unique=False)


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("actual", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempted", sa.Boolean(), nullable=False),
        sa.Column("found", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("error_code", sa.String(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("invite_url", sa.String(), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["community_id", "account_id"], ["accounts.community_id", "accounts.id"], name="fk_grants_account_id"),
        sa.ForeignKeyConstraint(["community_id", "member_id"], ["members.community_id", "members.id"], name="fk_grants_member_id"),
        sa.ForeignKeyConstraint(["community_id", "resource_id"], ["resources.community_id", "resources.id"], name="fk_grants_resource_id"),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        sa.UniqueConstraint("account_id", "resource_id", name="uq_grants_account_resource"),
        sa.UniqueConstraint("community_id", "id", name="uq_grants_community_id_id"),
    )
    op.create_index(
        "ix_grants_blocked",
        "grants",
        ["resource_id"],
        unique=False,
        sqlite_where=sa.text("status = 'blocked'"),
        postgresql_where=sa.text("status = 'blocked'"),
    )
    op.create_index(
        "ix_grants_checked",
        "grants",
        ["checked_at"],
        unique=False,
        sqlite_where=sa.text("wanted"),
        postgresql_where=sa.text("wanted"),
    )
    op.create_index(
        "ix_grants_due",
        "grants",
        ["lane", "due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("ix_grants_member_id", "grants", ["member_id"], unique=False)
    op.create_index("ix_grants_resource_id", "grants", ["resource_id"], unique=False)


def _invites() -> None:
    op.create_table(
        "invites",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bound_platform", sa.Text(), nullable=True),
        sa.Column("bound_realm", sa.String(), nullable=False),
        sa.Column("bound_user", sa.Text(), nullable=True),
        sa.Column("bound_name", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("personal", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["community_id", "plan_id"], ["plans.community_id", "plans.id"], name="fk_invites_plan_id"),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name="fk_invites_community_id"),
        sa.PrimaryKeyConstraint("id", name="pk_invites"),
        sa.UniqueConstraint("code", name="uq_invites_code"),
        sa.UniqueConstraint("community_id", "id", name="uq_invites_community_id_id"),
    )
    op.create_index("ix_invites_community_id", "invites", ["community_id", "created_at"], unique=False)
    op.create_index(
        "ix_invites_expires_at",
        "invites",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("expires_at IS NOT NULL AND ended_at IS NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL AND ended_at IS NULL"),
    )


def _plan_resources() -> None:
    op.create_table(
        "plan_resources",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["community_id", "plan_id"], ["plans.community_id", "plans.id"], name="fk_plan_resources_plan_id"),
        sa.ForeignKeyConstraint(
            ["community_id", "resource_id"], ["resources.community_id", "resources.id"], name="fk_plan_resources_resource_id"
        ),
        sa.PrimaryKeyConstraint("plan_id", "resource_id", name="pk_plan_resources"),
    )
    op.create_index("ix_plan_resources_resource_id", "plan_resources", ["resource_id"], unique=False)


def _prices() -> None:
    op.create_table(
        "prices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("stripe_price_id", sa.String(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_prices_amount"),
        sa.ForeignKeyConstraint(["community_id", "plan_id"], ["plans.community_id", "plans.id"], name="fk_prices_plan_id"),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["stripe_accounts.id"], name="fk_prices_stripe_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_prices"),
        sa.UniqueConstraint("community_id", "id", name="uq_prices_community_id_id"),
        sa.UniqueConstraint("stripe_account_id", "stripe_price_id", name="uq_prices_stripe"),
    )
    op.create_index("ix_prices_plan_id", "prices", ["plan_id"], unique=False)


def _subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("stripe_subscription_id", sa.String(), nullable=False),
        sa.Column("stripe_customer_id", sa.String(), nullable=False),
        sa.Column("stripe_price_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trial_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("past_due_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_notice_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notices_sent", sa.Integer(), nullable=False),
        sa.Column("refunded_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["community_id", "member_id"], ["members.community_id", "members.id"], name="fk_subscriptions_member_id"),
        sa.ForeignKeyConstraint(["community_id", "plan_id"], ["plans.community_id", "plans.id"], name="fk_subscriptions_plan_id"),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["stripe_accounts.id"], name="fk_subscriptions_stripe_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint("community_id", "id", name="uq_subscriptions_community_id_id"),
        sa.UniqueConstraint("stripe_account_id", "stripe_subscription_id", name="uq_subscriptions_stripe"),
    )
    op.create_index("ix_subscriptions_member_id", "subscriptions", ["member_id"], unique=False)
    op.create_index(
        "ix_subscriptions_past_due",
        "subscriptions",
        ["past_due_since"],
        unique=False,
        sqlite_where=sa.text("past_due_since IS NOT NULL"),
        postgresql_where=sa.text("past_due_since IS NOT NULL"),
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("price_id", sa.Text(), nullable=False),
        sa.Column("invite_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("trial_days", sa.Integer(), nullable=False),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("checkout_session_id", sa.String(), nullable=True),
        sa.Column("checkout_url", sa.String(), nullable=False),
        sa.Column("stripe_subscription_id", sa.String(), nullable=False),
        sa.Column("stripe_payment_intent_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["community_id", "account_id"], ["accounts.community_id", "accounts.id"], name="fk_orders_account_id"),
        sa.ForeignKeyConstraint(["community_id", "invite_id"], ["invites.community_id", "invites.id"], name="fk_orders_invite_id"),
        sa.ForeignKeyConstraint(["community_id", "member_id"], ["members.community_id", "members.id"], name="fk_orders_member_id"),
        sa.ForeignKeyConstraint(["community_id", "plan_id"], ["plans.community_id", "plans.id"], name="fk_orders_plan_id"),
        sa.ForeignKeyConstraint(["community_id", "price_id"], ["prices.community_id", "prices.id"], name="fk_orders_price_id"),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["stripe_accounts.id"], name="fk_orders_stripe_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("community_id", "id", name="uq_orders_community_id_id"),
        sa.UniqueConstraint("stripe_account_id", "checkout_session_id", name="uq_orders_checkout"),
    )
    op.create_index(
        "ix_orders_expires_at",
        "orders",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index("ix_orders_invite_id", "orders", ["invite_id"], unique=False)
    op.create_index("ix_orders_member_id", "orders", ["member_id"], unique=False)
    op.create_index(
        "uq_orders_open",
        "orders",
        ["account_id", "plan_id"],
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )


def _append_only(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _refuse_change() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )


TABLES = (
    "browsers",
    "communities",
    "credentials",
    "inbox",
    "lanes",
    "states",
    "audit",
    "members",
    "outbox",
    "spaces",
    "stripe_accounts",
    "accounts",
    "customers",
    "ledger",
    "plans",
    "resources",
    "tips",
    "webhook_endpoints",
    "entitlements",
    "grants",
    "invites",
    "plan_resources",
    "prices",
    "subscriptions",
    "orders",
)


def upgrade() -> None:
    _browsers()
    _communities()
    _credentials()
    _inbox()
    _lanes()
    _states()
    _audit()
    _members()
    _outbox()
    _spaces()
    _stripe_accounts()
    _accounts()
    _customers()
    _ledger()
    _plans()
    _resources()
    _tips()
    _webhook_endpoints()
    _entitlements()
    _grants()
    _invites()
    _plan_resources()
    _prices()
    _subscriptions()
    _orders()
    _refuse_change()
    _append_only("audit")
    _append_only("ledger")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION refuse_change()")
