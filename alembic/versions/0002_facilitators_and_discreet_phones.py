"""facilitators and discreet phones"""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "help_contacts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "programme_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programmes.id"],
            name=op.f("fk_help_contacts_programme_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_contacts")),
    )
    with op.batch_alter_table("help_contacts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_help_contacts_programme_id"), ["programme_id"], unique=False
        )

    op.create_table(
        "showings",
        sa.Column("post_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_showings_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("post_id", "delivery_id", name=op.f("pk_showings")),
    )
    with op.batch_alter_table("showings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_showings_delivery_id"), ["delivery_id"], unique=False)

    with op.batch_alter_table("bubbles", schema=None) as batch_op:
        batch_op.add_column(sa.Column("language", sa.String(length=8), nullable=True))

    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("asked_at", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            "ix_deliveries_held",
            ["address_id"],
            unique=False,
            sqlite_where=sa.text("state = 'held'"),
            postgresql_where=sa.text("state = 'held'"),
        )

    op.execute("UPDATE deliveries SET asked_at = due_at WHERE priority = 0")

    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "address_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
            )
        )
        batch_op.create_index(batch_op.f("ix_inbox_address_id"), ["address_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_inbox_address_id"),
            "addresses",
            ["address_id"],
            ["id"],
            ondelete="CASCADE",
        )

    with op.batch_alter_table("lanes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("link", sa.String(length=200), nullable=True))

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("discreet", sa.Boolean(), server_default=sa.false(), nullable=False)
        )

    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("heavy", sa.Boolean(), server_default=sa.false(), nullable=False)
        )

    with op.batch_alter_table("prompts", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("clears", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade() -> None:
    op.drop_table("showings")

    with op.batch_alter_table("prompts", schema=None) as batch_op:
        batch_op.drop_column("clears")

    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.drop_column("heavy")

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_column("discreet")

    with op.batch_alter_table("lanes", schema=None) as batch_op:
        batch_op.drop_column("link")

    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_inbox_address_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_inbox_address_id"))
        batch_op.drop_column("address_id")

    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_deliveries_held")
        batch_op.drop_column("asked_at")

    with op.batch_alter_table("bubbles", schema=None) as batch_op:
        batch_op.drop_column("language")

    with op.batch_alter_table("help_contacts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_help_contacts_programme_id"))

    op.drop_table("help_contacts")
