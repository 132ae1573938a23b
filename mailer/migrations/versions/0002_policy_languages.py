"""Languages of a policy, notes that send a draft back, every approval of a version, ids of headings that last."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from mailer.migrations import append_only

revision = "0002_policy_languages"
down_revision = "0001_foundation"
branch_labels = None
depends_on = None

# the version that stood when a draft was begun: whether an edit brought in a later one is not known, so it must be kept
# again if there is one
BASE_OF_OLD_DRAFTS = """
UPDATE policy_drafts SET base_number = (
    SELECT max(number) FROM policy_versions
    WHERE policy_versions.policy_id = policy_drafts.policy_id
    AND policy_versions.released_at <= policy_drafts.created_at
    AND NOT EXISTS (
        SELECT 1 FROM version_withdrawals
        WHERE version_withdrawals.version_id = policy_versions.id
        AND version_withdrawals.at <= policy_drafts.created_at
    )
)
"""


def upgrade() -> None:
    op.create_table(
        "draft_returns",
        sa.Column("id", sa.String(length=30), nullable=False),
        sa.Column("draft_id", sa.String(length=30), nullable=False),
        sa.Column("staff_id", sa.String(length=30), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["policy_drafts.id"], name=op.f("fk_draft_returns_draft_id_policy_drafts")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_draft_returns_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_returns")),
    )
    op.create_index(op.f("ix_draft_returns_draft_id"), "draft_returns", ["draft_id"], unique=False)
    op.create_table(
        "draft_translations",
        sa.Column("draft_id", sa.String(length=30), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("impact", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["policy_drafts.id"], name=op.f("fk_draft_translations_draft_id_policy_drafts")
        ),
        sa.PrimaryKeyConstraint("draft_id", "language", name=op.f("pk_draft_translations")),
    )
    op.create_table(
        "version_approvals",
        sa.Column("version_id", sa.String(length=30), nullable=False),
        sa.Column("staff_id", sa.String(length=30), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_version_approvals_staff_id_staff")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["policy_versions.id"], name=op.f("fk_version_approvals_version_id_policy_versions")
        ),
        sa.PrimaryKeyConstraint("version_id", "staff_id", name=op.f("pk_version_approvals")),
    )
    op.create_table(
        "version_translations",
        sa.Column("version_id", sa.String(length=30), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("impact", sa.Text(), nullable=False),
        sa.Column("anchors", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["policy_versions.id"], name=op.f("fk_version_translations_version_id_policy_versions")
        ),
        sa.PrimaryKeyConstraint("version_id", "language", name=op.f("pk_version_translations")),
    )
    op.add_column("policies", sa.Column("language", sa.String(length=2), server_default="en", nullable=False))
    op.add_column("policy_drafts", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "policy_drafts",
        sa.Column("writers", sa.JSON().with_variant(JSONB(), "postgresql"), server_default="[]", nullable=False),
    )
    op.add_column("policy_drafts", sa.Column("base_number", sa.Integer(), nullable=True))
    op.execute(BASE_OF_OLD_DRAFTS)
    op.add_column(
        "policy_versions",
        sa.Column("anchors", sa.JSON().with_variant(JSONB(), "postgresql"), server_default="[]", nullable=False),
    )
    append_only.guard(op.get_bind(), "draft_returns")
    append_only.guard(op.get_bind(), "version_approvals")
    append_only.guard(op.get_bind(), "version_translations")
