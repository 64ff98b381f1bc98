"""captions"""

import sqlalchemy as sa

from alembic import op

revision = "0023"
down_revision = "0022"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PARTIAL = (
    ("ix_captions_due", "due_at", "due_at IS NOT NULL", False),
    ("uq_captions_automatic", "media_id", "kind = 'automatic'", True),
    ("uq_captions_claimed", "media_id", "state = 'claimed'", True),
    ("uq_captions_shown", "media_id", "state = 'shown'", True),
)


def upgrade() -> None:
    op.create_table(
        "captions",
        sa.Column("id", ID, nullable=False),
        sa.Column("media_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["members.id"], name=op.f("fk_captions_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media.id"], name=op.f("fk_captions_media_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captions")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("captions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_captions_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_captions_media_id"), ["media_id"], unique=False)
        for name, column, condition, unique in PARTIAL:
            only = sa.text(condition)
            batch_op.create_index(
                name, [column], unique=unique, sqlite_where=only, postgresql_where=only
            )

    op.create_table(
        "agreements",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("service", sa.String(length=120), nullable=False),
        sa.Column("answer", sa.String(length=8), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_agreements_member_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_agreements")),
    )

    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_media_stored_at"), ["stored_at"], unique=False)
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.add_column(sa.Column("likes", sa.String(length=10), nullable=True))
    with op.batch_alter_table("programmes", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("transcribe", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("programmes", schema=None) as batch_op:
        batch_op.drop_column("transcribe")
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_column("likes")
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_media_stored_at"))

    op.drop_table("agreements")
    with op.batch_alter_table("captions", schema=None) as batch_op:
        for name, _column, condition, _unique in PARTIAL:
            only = sa.text(condition)
            batch_op.drop_index(name, sqlite_where=only, postgresql_where=only)
        batch_op.drop_index(batch_op.f("ix_captions_media_id"))
        batch_op.drop_index(batch_op.f("ix_captions_author_id"))

    op.drop_table("captions")
