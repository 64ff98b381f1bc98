"""responses"""

import sqlalchemy as sa

from alembic import op

revision = "0013"
down_revision = "0012"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _kept() -> dict[str, bool]:
    """SQLite copies a table for a new foreign key; its numbers are still never used twice."""
    return {"sqlite_autoincrement": True} if op.get_bind().dialect.name == "sqlite" else {}


def upgrade() -> None:
    with op.batch_alter_table("posts", schema=None, table_kwargs=_kept()) as batch_op:
        batch_op.add_column(sa.Column("said_id", ID, nullable=True))
        batch_op.create_index(batch_op.f("ix_posts_said_id"), ["said_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_posts_said_id"), "editions", ["said_id"], ["id"], ondelete="SET NULL"
        )


def downgrade() -> None:
    with op.batch_alter_table("posts", schema=None, table_kwargs=_kept()) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_posts_said_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_posts_said_id"))
        batch_op.drop_column("said_id")
