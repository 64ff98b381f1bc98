"""facilitates"""

import sqlalchemy as sa

from alembic import op

revision = "0015"
down_revision = "0014"

FACILITATES = sa.text("role = 'facilitator'")


def upgrade() -> None:
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.create_index(
            "ix_memberships_facilitates",
            ["member_id"],
            unique=False,
            sqlite_where=FACILITATES,
            postgresql_where=FACILITATES,
        )


def downgrade() -> None:
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.drop_index("ix_memberships_facilitates")
