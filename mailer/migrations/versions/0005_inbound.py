"""Inbound mail: bytes once, doors, readings kept for the desk, notes, answer templates; a late termination's offer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from mailer.migrations import append_only

revision = "0005_inbound"
down_revision = "0004_notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _bytes()
    _mails()
    _arrivals()
    _for_the_desk()
    _doors()
    op.add_column("terminations", sa.Column("ordinary_at", sa.DateTime(timezone=True), nullable=True))


def _bytes() -> None:
    op.create_table(
        "inbound_bytes",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_inbound_bytes")),
    )
    # of the same bytes to several recipients any will do, except those that an erasure emptied
    op.execute(
        "INSERT INTO inbound_bytes (sha256, raw, size) SELECT sha256, raw, length(raw) FROM inbound_mails "
        "WHERE id IN (SELECT coalesce(min(CASE WHEN length(raw) > 0 THEN id END), min(id)) "
        "FROM inbound_mails GROUP BY sha256)"
    )
    op.execute("ALTER TABLE inbound_mails ADD COLUMN size INTEGER DEFAULT 0 NOT NULL")
    op.execute("UPDATE inbound_mails SET size = length(raw)")
    op.execute("ALTER TABLE inbound_mails DROP COLUMN raw")


def _mails() -> None:
    op.add_column("inbound_mails", sa.Column("twin", sa.String(length=64), server_default="", nullable=False))
    op.execute("UPDATE inbound_mails SET twin = sha256")  # what was kept so far is known by its bytes alone
    op.add_column("inbound_mails", sa.Column("is_machine", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("inbound_mails", sa.Column("is_vouched", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("inbound_mails", sa.Column("assigned_to", sa.String(length=30), nullable=True))
    op.create_index("ix_inbound_mails_twin", "inbound_mails", ["twin", "recipient"], unique=True)
    op.drop_index("ix_inbound_mails_to_read", table_name="inbound_mails")
    op.drop_index("ix_inbound_mails_state", table_name="inbound_mails")
    op.create_index("ix_inbound_mails_unread", "inbound_mails", ["state", "is_machine", "id"], unique=False)
    op.create_index("ix_inbound_mails_desk", "inbound_mails", ["state", "id"], unique=False)


def _arrivals() -> None:
    op.create_table(
        "inbound_arrivals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("mail_id", sa.String(length=30), nullable=False),
        sa.Column("door", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["mail_id"], ["inbound_mails.id"], name=op.f("fk_inbound_arrivals_mail_id_inbound_mails")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_arrivals")),
        sa.UniqueConstraint("mail_id", "door", "sha256", name=op.f("uq_inbound_arrivals_mail_id_door_sha256")),
    )
    op.create_index("ix_inbound_arrivals_sha256", "inbound_arrivals", ["sha256"], unique=False)
    op.execute(
        "INSERT INTO inbound_arrivals (mail_id, door, sha256, arrived_at) "
        "SELECT id, door, sha256, received_at FROM inbound_mails ORDER BY id"
    )
    append_only.guard(op.get_bind(), "inbound_arrivals")


def _for_the_desk() -> None:
    json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    op.create_table(
        "inbound_readings",
        sa.Column("mail_id", sa.String(length=30), nullable=False),
        sa.Column("from_name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("headers", json, nullable=False),
        sa.Column("attachments", json, nullable=False),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("is_auto", "has_token", "is_aligned", "is_crossed")),
        sa.ForeignKeyConstraint(["mail_id"], ["inbound_mails.id"], name=op.f("fk_inbound_readings_mail_id_inbound_mails")),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_inbound_readings")),
    )
    op.create_table(
        "inbound_notes",
        sa.Column("id", sa.String(length=30), nullable=False),
        sa.Column("mail_id", sa.String(length=30), nullable=False),
        sa.Column("staff_id", sa.String(length=30), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["mail_id"], ["inbound_mails.id"], name=op.f("fk_inbound_notes_mail_id_inbound_mails")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_inbound_notes_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_notes")),
    )
    op.create_index(op.f("ix_inbound_notes_mail_id"), "inbound_notes", ["mail_id"], unique=False)
    op.create_table(
        "answer_templates",
        sa.Column("id", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("locale", sa.String(length=5), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_templates")),
    )


def _doors() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "inbound_doors",
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("uid_validity", whole, nullable=True),
        sa.Column("last_uid", whole, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_inbound_doors")),
    )
