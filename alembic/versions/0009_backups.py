"""backups"""

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "floors",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_floors")),
    )
    op.create_table(
        "spendings",
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("bubbles", sa.Integer(), nullable=False),
        sa.Column("counted_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "month", name=op.f("pk_spendings")),
    )
    with op.batch_alter_table("backups", schema=None) as batch_op:
        batch_op.alter_column("size", existing_type=sa.Integer(), type_=sa.BigInteger())


def downgrade() -> None:
    with op.batch_alter_table("backups", schema=None) as batch_op:
        batch_op.alter_column("size", existing_type=sa.BigInteger(), type_=sa.Integer())
    op.drop_table("spendings")
    op.drop_table("floors")
