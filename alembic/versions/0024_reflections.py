"""reflections"""

import sqlalchemy as sa

from alembic import op

revision = "0024"
down_revision = "0023"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _kept() -> dict[str, bool]:
    """What a table has that a copy of it would not."""
    return {"sqlite_autoincrement": True} if op.get_bind().dialect.name == "sqlite" else {}


def upgrade() -> None:
    op.create_table(
        "reflections",
        sa.Column("id", ID, nullable=False),
        sa.Column("post_id", ID, nullable=False),
        sa.Column("question", sa.String(length=20), nullable=True),
        sa.Column("earlier_id", ID, nullable=True),
        sa.Column("theme", sa.String(length=12), nullable=True),
        sa.Column("pathway", sa.String(length=12), nullable=True),
        sa.Column("feeling", sa.LargeBinary(), nullable=True),
        sa.Column("adds_until", sa.BigInteger(), nullable=True),
        sa.Column("look_back_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["earlier_id"],
            ["reflections.id"],
            name=op.f("fk_reflections_earlier_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_reflections_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reflections")),
        sa.UniqueConstraint("post_id", name=op.f("uq_reflections_post_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("reflections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reflections_earlier_id"), ["earlier_id"], unique=False)
        batch_op.create_index(
            "ix_reflections_due",
            ["look_back_at"],
            unique=False,
            sqlite_where=sa.text("look_back_at IS NOT NULL"),
            postgresql_where=sa.text("look_back_at IS NOT NULL"),
        )

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.add_column(sa.Column("looks_back", sa.Boolean(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("members", schema=None, table_kwargs=_kept()) as batch_op:
        batch_op.drop_column("looks_back")

    op.drop_table("reflections")
