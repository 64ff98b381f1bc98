"""digests"""

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"

DIGEST = sa.text("digest_at IS NOT NULL")
HELPFUL = sa.text("helpful_at IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.add_column(sa.Column("digest_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("digested_at", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            "ix_memberships_digest",
            ["digest_at"],
            unique=False,
            sqlite_where=DIGEST,
            postgresql_where=DIGEST,
        )
    # Who wants a digest already gets the first one at the next look.
    op.execute("UPDATE memberships SET digest_at = 0 WHERE pace IN ('daily', 'weekly')")
    op.execute(
        "UPDATE deliveries SET state = 'held', reason = 'gathered'"
        " WHERE state = 'queued' AND reason = 'pace'"
    )
    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.create_index("ix_posts_said", ["community_id", "created_at"], unique=False)
        batch_op.create_index(
            "ix_posts_helpful",
            ["community_id", "helpful_at"],
            unique=False,
            sqlite_where=HELPFUL,
            postgresql_where=HELPFUL,
        )


def downgrade() -> None:
    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.drop_index("ix_posts_helpful", sqlite_where=HELPFUL, postgresql_where=HELPFUL)
        batch_op.drop_index("ix_posts_said")
    # What waits for a digest is said one by one again.
    op.execute(
        "UPDATE deliveries SET state = 'queued', reason = NULL WHERE state = 'held'"
        " AND reason IN ('gathered', 'cap', 'night', 'rest')"
    )
    kept = {"sqlite_autoincrement": True} if op.get_bind().dialect.name == "sqlite" else {}
    with op.batch_alter_table("memberships", schema=None, table_kwargs=kept) as batch_op:
        batch_op.drop_index("ix_memberships_digest", sqlite_where=DIGEST, postgresql_where=DIGEST)
        batch_op.drop_column("digested_at")
        batch_op.drop_column("digest_at")
