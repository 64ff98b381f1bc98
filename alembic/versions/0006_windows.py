"""windows"""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"

NUDGED = sa.text("nudged_at IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.add_column(sa.Column("offer_at", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            "ix_addresses_nudged",
            ["lane", "nudged_at"],
            unique=False,
            sqlite_where=NUDGED,
            postgresql_where=NUDGED,
        )


def downgrade() -> None:
    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.drop_index("ix_addresses_nudged", sqlite_where=NUDGED, postgresql_where=NUDGED)
        batch_op.drop_column("offer_at")
