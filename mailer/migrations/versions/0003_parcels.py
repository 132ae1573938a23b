"""Parcels, what a mailing may do next, and messages whose updates stay within their page."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003_parcels"
down_revision = "0002_policy_languages"
branch_labels = None
depends_on = None

IS_TIMED = "due_at IS NOT NULL"


def upgrade() -> None:
    for index in ("batch", "due", "leased", "to_address", "to_seal"):
        op.drop_index(f"ix_messages_{index}", table_name="messages")
    # not a rebuild of the table: SQLite would count its attempts as orphans while it is away
    op.execute("ALTER TABLE messages RENAME COLUMN due_at TO was_due_at")
    for column in ("due_at", "turn_at"):
        op.add_column("messages", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("sent_from", sa.String(length=400), nullable=True))
    op.add_column("messages", sa.Column("envelope_domain", sa.String(length=255), nullable=True))
    # a claim's lease now ends at due_at, and what is settled is due no more
    op.execute("UPDATE messages SET due_at = was_due_at WHERE state = 'queued'")
    op.execute("UPDATE messages SET due_at = lease_until WHERE state = 'sending'")
    for column in ("was_due_at", "lease_until", "begun_at"):
        op.execute(f"ALTER TABLE messages DROP COLUMN {column}")
    op.create_index(
        "ix_messages_due",
        "messages",
        ["channel", "due_at"],
        unique=False,
        sqlite_where=sa.text(IS_TIMED),
        postgresql_where=sa.text(IS_TIMED),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE messages SET (fillfactor = 70)")
    op.create_table(
        "parcels",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("mailing_id", sa.String(length=30), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("first_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lease_token", sa.String(length=40), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailings.id"], name=op.f("fk_parcels_mailing_id_mailings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcels")),
    )
    op.create_index("ix_parcels_free", "parcels", ["channel", "turn", "id"], unique=False)
    op.create_index(op.f("ix_parcels_mailing_id"), "parcels", ["mailing_id"], unique=False)
    op.add_column("mailings", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mailings", sa.Column("paused_why", sa.Text(), server_default="", nullable=False))
    op.add_column("mailings", sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mailings", sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mailings", sa.Column("per_hour", sa.Integer(), nullable=True))
    op.add_column("mailings", sa.Column("vouched", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True))
    op.add_column("mailings", sa.Column("window_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mailings", sa.Column("per_second", sa.Float(), server_default="0", nullable=False))
    for counted in ("accepted", "bounced", "complained", "refused", "window_count"):
        op.add_column("mailings", sa.Column(counted, sa.Integer(), server_default="0", nullable=False))
    op.execute(
        "UPDATE mailings SET "
        "accepted = (SELECT count(*) FROM messages WHERE mailing_id = mailings.id AND state = 'accepted'), "
        "refused = (SELECT count(*) FROM messages WHERE mailing_id = mailings.id AND state = 'refused'), "
        "bounced = (SELECT count(*) FROM messages WHERE mailing_id = mailings.id AND bounced_at IS NOT NULL), "
        "complained = (SELECT count(*) FROM messages WHERE mailing_id = mailings.id AND complained_at IS NOT NULL)"
    )
    op.add_column("contacts", sa.Column("time_zone", sa.String(length=40), nullable=True))
