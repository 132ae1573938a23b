"""Room in the pages of messages, so that PostgreSQL settles a mail within its page (HOT) and touches no index for it."""

from alembic import op

revision = "0006_room"
down_revision = "0005_inbound"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE messages SET (fillfactor = 40)")  # for what is written from now on
