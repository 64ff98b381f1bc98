"""sign-up: what somebody needs has a table of its own, and who waits an index"""

import sqlalchemy as sa

from alembic import op

revision = "0017"
down_revision = "0016"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "needs",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_needs_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_needs_member_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_needs")),
        sa.UniqueConstraint("session_id", "member_id", name=op.f("uq_needs_session_id_member_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("needs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_needs_member_id"), ["member_id"], unique=False)

    with op.batch_alter_table("signups", schema=None) as batch_op:
        batch_op.drop_column("needs")
        batch_op.create_index(
            "ix_signups_waiting",
            ["session_id"],
            unique=False,
            sqlite_where=sa.text("answer = 'waiting'"),
            postgresql_where=sa.text("answer = 'waiting'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("signups", schema=None) as batch_op:
        batch_op.drop_index("ix_signups_waiting")
        batch_op.add_column(sa.Column("needs", sa.LargeBinary(), nullable=True))

    op.drop_table("needs")
