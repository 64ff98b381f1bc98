"""market"""

import sqlalchemy as sa

from alembic import op

revision = "0019"
down_revision = "0018"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _kept() -> dict[str, bool]:
    """SQLite copies a table for a new foreign key; its numbers are still never used twice."""
    return {"sqlite_autoincrement": True} if op.get_bind().dialect.name == "sqlite" else {}


def upgrade() -> None:
    with op.batch_alter_table("topics", schema=None, table_kwargs=_kept()) as batch_op:
        batch_op.add_column(sa.Column("post_id", ID, nullable=True))
        batch_op.create_index(batch_op.f("ix_topics_post_id"), ["post_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_topics_post_id"), "posts", ["post_id"], ["id"], ondelete="SET NULL"
        )


def downgrade() -> None:
    with op.batch_alter_table("topics", schema=None, table_kwargs=_kept()) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_topics_post_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_topics_post_id"))
        batch_op.drop_column("post_id")
