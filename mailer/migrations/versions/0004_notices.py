"""What happened to each notice as facts, express agreement, consumers, ownership."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from mailer.migrations import append_only, counted, refusals

revision = "0004_notices"
down_revision = "0003_parcels"
branch_labels = None
depends_on = None

HAS_BATCH = "batch IS NOT NULL"
# notices that stand from before get the facts that lead to them
PLANNED_OF_OLD = """
INSERT INTO notice_facts (version_id, contact_id, kind, at, on_date, message_row, data)
SELECT notices.version_id, notices.contact_id, 'planned', messages.created_at, date(messages.created_at),
       notices.message_row, '{}'
FROM notices JOIN messages ON messages.id = notices.message_row ORDER BY notices.id
"""
REACHED_OF_OLD = """
INSERT INTO notice_facts (version_id, contact_id, kind, at, on_date, message_row, data)
SELECT version_id, contact_id, 'accepted', updated_at, notified_on, message_row, %s
FROM notices WHERE notified_on IS NOT NULL ORDER BY id
"""
FAILED_OF_OLD = """
INSERT INTO notice_facts (version_id, contact_id, kind, at, on_date, message_row, data)
SELECT version_id, contact_id, CASE WHEN state = 'ended' THEN 'ended' ELSE 'refused' END, updated_at,
       date(updated_at), message_row, %s
FROM notices WHERE state IN ('unreached', 'ended') ORDER BY id
"""


def upgrade() -> None:
    _notices()
    _agreements()
    _people()
    _policies()
    _ledger()
    _guards()
    _counts()


def _notices() -> None:
    op.create_table(
        "notice_facts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("version_id", sa.String(length=30), nullable=False),
        sa.Column("contact_id", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("message_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("batch", sa.String(length=30), nullable=True),
        sa.Column("data", sa.JSON().with_variant(JSONB(), "postgresql"), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_notice_facts_contact_id_contacts")),
        sa.ForeignKeyConstraint(["message_row"], ["messages.id"], name=op.f("fk_notice_facts_message_row_messages")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["policy_versions.id"], name=op.f("fk_notice_facts_version_id_policy_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_facts")),
    )
    op.create_index("ix_notice_facts_person", "notice_facts", ["contact_id", "version_id"], unique=False)
    op.create_index("ix_notice_facts_kind", "notice_facts", ["version_id", "kind", "on_date"], unique=False)
    op.create_index(
        "ix_notice_facts_batch",
        "notice_facts",
        ["batch"],
        unique=False,
        sqlite_where=sa.text(HAS_BATCH),
        postgresql_where=sa.text(HAS_BATCH),
    )
    op.add_column("notices", sa.Column("kind", sa.String(40), server_default="material", nullable=False))
    op.add_column("notices", sa.Column("via", sa.String(40), server_default="mail", nullable=False))
    op.add_column("notices", sa.Column("evidence", sa.Text(), server_default="", nullable=False))
    op.add_column("notices", sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True))
    _facts_of_old()


def _facts_of_old() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    build = "jsonb_build_object" if is_postgresql else "json_object"
    days = f"{build}('respond_by_on', respond_by_on, 'binding_on', binding_on)"
    op.execute(PLANNED_OF_OLD)
    op.execute(REACHED_OF_OLD % days)
    op.execute(FAILED_OF_OLD % f"{build}('why', why)")


def _agreements() -> None:
    op.create_table(
        "express_agreements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("version_id", sa.String(length=30), nullable=False),
        sa.Column("contact_id", sa.String(length=30), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("wording_digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_express_agreements_contact_id_contacts")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["policy_versions.id"], name=op.f("fk_express_agreements_version_id_policy_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_express_agreements")),
        sa.UniqueConstraint("version_id", "contact_id", name=op.f("uq_express_agreements_version_id_contact_id")),
    )
    op.create_index(op.f("ix_express_agreements_contact_id"), "express_agreements", ["contact_id"], unique=False)


def _people() -> None:
    op.add_column("contacts", sa.Column("is_consumer", sa.Boolean(), server_default=sa.false(), nullable=False))
    # by hand: for SQLite, Alembic would add the constraint apart, which SQLite does not know
    op.execute(
        "ALTER TABLE contacts ADD COLUMN merged_into VARCHAR(30) "
        "CONSTRAINT fk_contacts_merged_into_contacts REFERENCES contacts (id)"
    )


def _policies() -> None:
    for table in ("policy_drafts", "policy_versions"):
        op.add_column(table, sa.Column("ownership", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True))


def _ledger() -> None:
    op.create_table(
        "ledger_heads",
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("on_date", name=op.f("pk_ledger_heads")),
    )
    op.create_table(
        "ledger_runs",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_runs")),
    )


def _guards() -> None:
    connection = op.get_bind()
    append_only.guard(connection, "express_agreements")
    append_only.guard(connection, "ledger_heads")
    append_only.guard(connection, "ledger_runs")
    append_only.guard(connection, "notice_facts")
    for refusal in refusals.REFUSALS:
        refusals.stand(connection, refusal)


def _counts() -> None:
    op.drop_index("ix_notices_state", table_name="notices")
    op.create_index("ix_notices_state", "notices", ["version_id", "state", "contact_id"], unique=False)
    op.create_index("ix_notices_window", "notices", ["version_id", "respond_by_on", "contact_id"], unique=False)
    op.create_table(
        "notice_counts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("version_id", sa.String(length=30), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("via", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("respond_by_on", sa.Date(), nullable=True),
        sa.Column("binding_on", sa.Date(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_counts")),
    )
    op.create_index("ix_notice_counts_cell", "notice_counts", ["version_id", "what", "notified_on", "since"])
    counted.start(op.get_bind())
