"""delivery"""

import sqlalchemy as sa

from alembic import op

revision = "0005"
down_revision = "0004"

SOME_DELIVERIES = (
    ("ix_deliveries_tried", ["lane"], sa.text("state = 'queued' AND attempts > 0")),
    (
        "ix_deliveries_put_off",
        ["lane", "due_at"],
        sa.text("state = 'held' AND reason IN ('quiet', 'paused')"),
    ),
)


def upgrade() -> None:
    op.create_table(
        "backups",
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("made_at", name=op.f("pk_backups")),
    )
    op.create_table(
        "ledger",
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("posts_too", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_ledger")),
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_erased_at"), ["erased_at"], unique=False)

    op.create_table(
        "templates",
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("sid", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "name", "language", name=op.f("pk_templates")),
    )
    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.add_column(sa.Column("nudged_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("nudges", sa.Integer(), server_default="0", nullable=False))

    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("place", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column(
                "folded_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
            )
        )
        batch_op.drop_index(
            batch_op.f("ix_deliveries_waiting"),
            sqlite_where=sa.text("state IN ('queued', 'unknown')"),
        )
        batch_op.create_index(
            "ix_deliveries_waiting",
            ["lane", "priority", "place", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('queued', 'unknown')"),
            postgresql_where=sa.text("state IN ('queued', 'unknown')"),
        )

    for name, columns, some in SOME_DELIVERIES:
        op.create_index(
            name, "deliveries", columns, unique=False, sqlite_where=some, postgresql_where=some
        )

    with op.batch_alter_table("dispatches", schema=None) as batch_op:
        batch_op.add_column(sa.Column("handed_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("told_at", sa.BigInteger(), nullable=True))
        batch_op.create_index(batch_op.f("ix_dispatches_handed_at"), ["handed_at"], unique=False)

    with op.batch_alter_table("lanes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner", sa.String(length=24), nullable=True))
        batch_op.add_column(sa.Column("leased_until", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("paused_until", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("paused_why", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("heard_at", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.add_column(sa.Column("week", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("unasked", sa.Integer(), server_default="0", nullable=False))

    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("for_role", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("line_until", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            "ix_messages_in_line",
            ["community_id", "line_until"],
            unique=False,
            sqlite_where=sa.text("line_until IS NOT NULL"),
            postgresql_where=sa.text("line_until IS NOT NULL"),
        )

    with op.batch_alter_table("programmes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("budget", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("programmes", schema=None) as batch_op:
        batch_op.drop_column("budget")

    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_messages_in_line",
            sqlite_where=sa.text("line_until IS NOT NULL"),
            postgresql_where=sa.text("line_until IS NOT NULL"),
        )
        batch_op.drop_column("line_until")
        batch_op.drop_column("for_role")

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_column("unasked")
        batch_op.drop_column("week")

    with op.batch_alter_table("lanes", schema=None) as batch_op:
        batch_op.drop_column("heard_at")
        batch_op.drop_column("paused_why")
        batch_op.drop_column("paused_until")
        batch_op.drop_column("leased_until")
        batch_op.drop_column("owner")

    with op.batch_alter_table("dispatches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dispatches_handed_at"))
        batch_op.drop_column("told_at")
        batch_op.drop_column("handed_at")

    for name, _columns, some in SOME_DELIVERIES:
        op.drop_index(name, "deliveries", sqlite_where=some, postgresql_where=some)

    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_deliveries_waiting",
            sqlite_where=sa.text("state IN ('queued', 'unknown')"),
            postgresql_where=sa.text("state IN ('queued', 'unknown')"),
        )
        batch_op.create_index(
            batch_op.f("ix_deliveries_waiting"),
            ["lane", "priority", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('queued', 'unknown')"),
            postgresql_where=sa.text("state IN ('queued', 'unknown')"),
        )
        batch_op.drop_column("folded_id")
        batch_op.drop_column("place")

    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.drop_column("nudges")
        batch_op.drop_column("nudged_at")

    op.drop_table("templates")
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_erased_at"))

    op.drop_table("ledger")
    op.drop_table("backups")
