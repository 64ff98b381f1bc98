"""what members sent goes along with words"""

import sqlalchemy as sa

from alembic import op

revision = "0027"
down_revision = "0026"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("dispatches", schema=None) as batch_op:
        batch_op.add_column(sa.Column("media_id", ID, nullable=True))
        batch_op.create_index(batch_op.f("ix_dispatches_media_id"), ["media_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_dispatches_media_id"), "media", ["media_id"], ["id"], ondelete="SET NULL"
        )


def downgrade() -> None:
    with op.batch_alter_table("dispatches", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_dispatches_media_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_dispatches_media_id"))
        batch_op.drop_column("media_id")
