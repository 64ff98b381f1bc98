"""reports may be spoken; which file went along with a part is sealed"""

import sqlalchemy as sa

from alembic import op

revision = "0028"
down_revision = "0027"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("notes", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(length=12), server_default="text", nullable=False)
        )
        batch_op.add_column(sa.Column("media_id", ID, nullable=True))
        batch_op.create_index(batch_op.f("ix_notes_media_id"), ["media_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_notes_media_id"), "media", ["media_id"], ["id"], ondelete="SET NULL"
        )
    # What stood in the old column was of use for an hour: a file that its provider fetches only
    # after the upgrade counts as one that could not be brought.
    with op.batch_alter_table("dispatches", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_dispatches_media_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_dispatches_media_id"))
        batch_op.drop_column("media_id")
        batch_op.add_column(sa.Column("media", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("dispatches", schema=None) as batch_op:
        batch_op.drop_column("media")
        batch_op.add_column(sa.Column("media_id", ID, nullable=True))
        batch_op.create_index(batch_op.f("ix_dispatches_media_id"), ["media_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_dispatches_media_id"), "media", ["media_id"], ["id"], ondelete="SET NULL"
        )
    with op.batch_alter_table("notes", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_notes_media_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_notes_media_id"))
        batch_op.drop_column("media_id")
        batch_op.drop_column("kind")
