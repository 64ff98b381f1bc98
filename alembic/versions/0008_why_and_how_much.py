"""what is counted is found by an index"""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.create_index(
            "ix_addresses_silent",
            ["lane"],
            unique=False,
            sqlite_where=sa.text("nudges > 0"),
            postgresql_where=sa.text("nudges > 0"),
        )

    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_inbox_parked",
            ["lane"],
            unique=False,
            sqlite_where=sa.text("state = 'parked'"),
            postgresql_where=sa.text("state = 'parked'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_inbox_parked",
            sqlite_where=sa.text("state = 'parked'"),
            postgresql_where=sa.text("state = 'parked'"),
        )

    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_addresses_silent",
            sqlite_where=sa.text("nudges > 0"),
            postgresql_where=sa.text("nudges > 0"),
        )
