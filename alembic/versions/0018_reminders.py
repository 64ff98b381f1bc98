"""reminders"""

import sqlalchemy as sa

from alembic import op

revision = "0018"
down_revision = "0017"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reminders",
        sa.Column("message_id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_reminders_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_reminders_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_reminders")),
        sa.UniqueConstraint(
            "session_id",
            "starts_at",
            "minutes",
            name=op.f("uq_reminders_session_id_starts_at_minutes"),
        ),
    )
    # As plain statements: a table that is copied would lose that its numbers are never used again.
    op.add_column("sessions", sa.Column("moved_at", sa.BigInteger(), nullable=True))
    op.add_column("sessions", sa.Column("moved_from", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "moved_from")
    op.drop_column("sessions", "moved_at")
    op.drop_table("reminders")
