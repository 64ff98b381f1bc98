"""rhythm"""

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0009"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _kept() -> dict[str, bool]:
    """SQLite copies a table for a new foreign key; its numbers are still never used twice."""
    return {"sqlite_autoincrement": True} if op.get_bind().dialect.name == "sqlite" else {}


def upgrade() -> None:
    op.create_table(
        "holidays",
        sa.Column("id", ID, nullable=False),
        sa.Column("programme_id", ID, nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("first_on", sa.Integer(), nullable=False),
        sa.Column("last_on", sa.Integer(), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programmes.id"],
            name=op.f("fk_holidays_programme_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holidays")),
    )
    with op.batch_alter_table("holidays", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_holidays_programme_id_country_first_on"),
            ["programme_id", "country", "first_on"],
            unique=False,
        )

    op.create_table(
        "overrides",
        sa.Column("programme_id", ID, nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("hash", sa.String(length=16), nullable=False),
        sa.Column("msgid", sa.Text(), nullable=False),
        sa.Column("forms", sa.JSON(), nullable=False),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["members.id"], name=op.f("fk_overrides_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programmes.id"],
            name=op.f("fk_overrides_programme_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("programme_id", "language", "hash", name=op.f("pk_overrides")),
    )
    with op.batch_alter_table("overrides", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_overrides_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_overrides_changed_at"), ["changed_at"], unique=False)

    op.create_table(
        "contents",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("community_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("theme", sa.String(length=20), nullable=True),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("hash", sa.String(length=16), nullable=False),
        sa.Column("fallback", sa.String(length=8), server_default="mark", nullable=False),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"], ["members.id"], name=op.f("fk_contents_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["communities.id"],
            name=op.f("fk_contents_community_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contents")),
        sa.UniqueConstraint("key", name=op.f("uq_contents_key")),
    )
    with op.batch_alter_table("contents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contents_author_id"), ["author_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_contents_community_id"), ["community_id"], unique=False
        )

    op.create_table(
        "schedules",
        sa.Column("id", ID, nullable=False),
        sa.Column("community_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=True),
        sa.Column("every", sa.Integer(), server_default="1", nullable=False),
        sa.Column("first_on", sa.Integer(), nullable=False),
        sa.Column("until_on", sa.Integer(), nullable=True),
        sa.Column("rests_until", sa.Integer(), nullable=True),
        sa.Column("sequence", sa.String(length=10), server_default="series", nullable=False),
        sa.Column("stopped", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["communities.id"],
            name=op.f("fk_schedules_community_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint("community_id", "kind", name=op.f("uq_schedules_community_id_kind")),
    )
    op.create_table(
        "editions",
        sa.Column("id", ID, nullable=False),
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("community_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("content_id", ID, nullable=True),
        sa.Column("picked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["communities.id"],
            name=op.f("fk_editions_community_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["contents.id"],
            name=op.f("fk_editions_content_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedules.id"],
            name=op.f("fk_editions_schedule_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editions")),
        sa.UniqueConstraint("schedule_id", "day", name=op.f("uq_editions_schedule_id_day")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("editions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_editions_content_id"), ["content_id"], unique=False)
        batch_op.create_index(
            "ix_editions_due",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.create_index("ix_editions_of", ["community_id", "day"], unique=False)

    op.create_table(
        "opinions",
        sa.Column("content_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("useful", sa.Boolean(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_opinions_content_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_opinions_member_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", "member_id", name=op.f("pk_opinions")),
    )
    with op.batch_alter_table("opinions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opinions_member_id"), ["member_id"], unique=False)

    op.create_table(
        "wordings",
        sa.Column("content_id", ID, nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("source_hash", sa.String(length=16), nullable=False),
        sa.Column("library_hash", sa.String(length=16), nullable=True),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["members.id"], name=op.f("fk_wordings_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["content_id"], ["contents.id"], name=op.f("fk_wordings_content_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", "language", name=op.f("pk_wordings")),
    )
    with op.batch_alter_table("wordings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wordings_author_id"), ["author_id"], unique=False)

    op.create_table(
        "edition_messages",
        sa.Column("message_id", ID, nullable=False),
        sa.Column("edition_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"],
            ["editions.id"],
            name=op.f("fk_edition_messages_edition_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_edition_messages_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", "edition_id", name=op.f("pk_edition_messages")),
    )
    with op.batch_alter_table("edition_messages", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_edition_messages_edition_id"), ["edition_id"], unique=False
        )

    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("offered_at", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("rhythm", sa.String(length=12), server_default="all", nullable=False)
        )

    with op.batch_alter_table("occurrences", schema=None) as batch_op:
        batch_op.add_column(sa.Column("skipped", sa.String(length=20), nullable=True))

    with op.batch_alter_table("posts", schema=None, table_kwargs=_kept()) as batch_op:
        batch_op.add_column(sa.Column("edition_id", ID, nullable=True))
        batch_op.add_column(sa.Column("seen_by", sa.String(length=12), nullable=True))
        batch_op.create_index(batch_op.f("ix_posts_edition_id"), ["edition_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_posts_edition_id"),
            "editions",
            ["edition_id"],
            ["id"],
            ondelete="SET NULL",
        )

    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("outcome", sa.String(length=12), nullable=True))
        batch_op.add_column(sa.Column("followed_up", sa.String(length=12), nullable=True))
        batch_op.create_index(
            "ix_threads_asked",
            ["created_at"],
            unique=False,
            sqlite_where=sa.text("state = 'asked'"),
            postgresql_where=sa.text("state = 'asked'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_threads_asked",
            sqlite_where=sa.text("state = 'asked'"),
            postgresql_where=sa.text("state = 'asked'"),
        )
        batch_op.drop_column("followed_up")
        batch_op.drop_column("outcome")

    with op.batch_alter_table("posts", schema=None, table_kwargs=_kept()) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_posts_edition_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_posts_edition_id"))
        batch_op.drop_column("seen_by")
        batch_op.drop_column("edition_id")

    with op.batch_alter_table("occurrences", schema=None) as batch_op:
        batch_op.drop_column("skipped")

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_column("rhythm")

    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_column("offered_at")

    with op.batch_alter_table("edition_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_edition_messages_edition_id"))

    op.drop_table("edition_messages")
    with op.batch_alter_table("wordings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wordings_author_id"))

    op.drop_table("wordings")
    with op.batch_alter_table("opinions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_opinions_member_id"))

    op.drop_table("opinions")
    with op.batch_alter_table("editions", schema=None) as batch_op:
        batch_op.drop_index("ix_editions_of")
        batch_op.drop_index(
            "ix_editions_due",
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_editions_content_id"))

    op.drop_table("editions")
    op.drop_table("schedules")
    with op.batch_alter_table("contents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contents_community_id"))
        batch_op.drop_index(batch_op.f("ix_contents_author_id"))

    op.drop_table("contents")
    with op.batch_alter_table("overrides", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_overrides_changed_at"))
        batch_op.drop_index(batch_op.f("ix_overrides_author_id"))

    op.drop_table("overrides")
    with op.batch_alter_table("holidays", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_holidays_programme_id_country_first_on"))

    op.drop_table("holidays")
