"""what is settled"""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deliveries_address_id"))
        batch_op.drop_index(batch_op.f("ix_deliveries_member_id_due_at"))
        batch_op.create_index(
            "ix_deliveries_settled",
            ["member_id", "due_at"],
            unique=False,
            sqlite_where=sa.text("state NOT IN ('queued', 'sending')"),
            postgresql_where=sa.text("state NOT IN ('queued', 'sending')"),
        )

    with op.batch_alter_table("prompts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_prompts_message_id"))
        batch_op.create_index(
            batch_op.f("ix_prompts_message_id_address_id"),
            ["message_id", "address_id"],
            unique=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("prompts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_prompts_message_id_address_id"))
        batch_op.create_index(batch_op.f("ix_prompts_message_id"), ["message_id"], unique=False)

    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_deliveries_settled")
        batch_op.create_index(
            batch_op.f("ix_deliveries_member_id_due_at"), ["member_id", "due_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_deliveries_address_id"), ["address_id"], unique=False)
