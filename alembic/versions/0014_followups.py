"""followups"""

import sqlalchemy as sa

from alembic import op

revision = "0014"
down_revision = "0013"

HELPED = sa.text(
    "state = 'helped' AND NOT anonymous AND outcome IS NULL"
    " AND (followed_up IS NULL OR followed_up <> 'outcome')"
)


def upgrade() -> None:
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.create_index(
            "ix_threads_helped",
            ["id"],
            unique=False,
            sqlite_where=HELPED,
            postgresql_where=HELPED,
        )


def downgrade() -> None:
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.drop_index("ix_threads_helped")
