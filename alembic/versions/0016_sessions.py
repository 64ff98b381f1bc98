"""sessions"""

import sqlalchemy as sa

from alembic import op

revision = "0016"
down_revision = "0015"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "topics",
        sa.Column("id", ID, nullable=False),
        sa.Column("community_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("wide", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("theme", sa.String(length=20), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("suggested_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["communities.id"],
            name=op.f("fk_topics_community_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_topics_member_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topics")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("topics", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_topics_community_id"), ["community_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_topics_member_id"), ["member_id"], unique=False)
        batch_op.create_index(
            "ix_topics_open",
            ["community_id", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "interests",
        sa.Column("topic_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_interests_member_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["topics.id"], name=op.f("fk_interests_topic_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("topic_id", "member_id", name=op.f("pk_interests")),
    )
    with op.batch_alter_table("interests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interests_member_id"), ["member_id"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("community_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=12), server_default="session", nullable=False),
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=False),
        sa.Column("host_id", ID, nullable=True),
        sa.Column("note_taker_id", ID, nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=True),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("seats_each", sa.Integer(), nullable=True),
        sa.Column("organisation", sa.LargeBinary(), nullable=True),
        sa.Column("packing", sa.LargeBinary(), nullable=True),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("reminders", sa.JSON(), nullable=False),
        sa.Column("every", sa.Integer(), nullable=True),
        sa.Column("follows_id", ID, nullable=True),
        sa.Column("topic_id", ID, nullable=True),
        sa.Column("thread_id", ID, nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("uid", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["communities.id"],
            name=op.f("fk_sessions_community_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["follows_id"],
            ["sessions.id"],
            name=op.f("fk_sessions_follows_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["host_id"], ["members.id"], name=op.f("fk_sessions_host_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["note_taker_id"],
            ["members.id"],
            name=op.f("fk_sessions_note_taker_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name=op.f("fk_sessions_thread_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["topics.id"], name=op.f("fk_sessions_topic_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("follows_id", name=op.f("uq_sessions_follows_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_sessions_uid")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sessions_community_id"), ["community_id"], unique=False
        )
        batch_op.create_index(
            "ix_sessions_due",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_sessions_host_id"), ["host_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_sessions_note_taker_id"), ["note_taker_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_sessions_thread_id"), ["thread_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_topic_id"), ["topic_id"], unique=False)
        batch_op.create_index("ix_sessions_when", ["community_id", "starts_at"], unique=False)

    op.create_table(
        "session_communities",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("community_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["communities.id"],
            name=op.f("fk_session_communities_community_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_session_communities_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "community_id", name=op.f("pk_session_communities")),
    )
    with op.batch_alter_table("session_communities", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_session_communities_community_id"), ["community_id"], unique=False
        )

    op.create_table(
        "signups",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("answer", sa.String(length=8), nullable=False),
        sa.Column("place", sa.Integer(), server_default="0", nullable=False),
        sa.Column("offered_until", sa.BigInteger(), nullable=True),
        sa.Column("needs", sa.LargeBinary(), nullable=True),
        sa.Column("came", sa.Boolean(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_signups_member_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_signups_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", "member_id", name=op.f("pk_signups")),
    )
    with op.batch_alter_table("signups", schema=None) as batch_op:
        batch_op.create_index("ix_signups_answers", ["session_id", "answer", "place"], unique=False)
        batch_op.create_index(batch_op.f("ix_signups_member_id"), ["member_id"], unique=False)
        batch_op.create_index(
            "ix_signups_offered",
            ["offered_until"],
            unique=False,
            sqlite_where=sa.text("answer = 'offered'"),
            postgresql_where=sa.text("answer = 'offered'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("signups", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_signups_offered",
            sqlite_where=sa.text("answer = 'offered'"),
            postgresql_where=sa.text("answer = 'offered'"),
        )
        batch_op.drop_index(batch_op.f("ix_signups_member_id"))
        batch_op.drop_index("ix_signups_answers")

    op.drop_table("signups")
    with op.batch_alter_table("session_communities", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_session_communities_community_id"))

    op.drop_table("session_communities")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_sessions_when")
        batch_op.drop_index(batch_op.f("ix_sessions_topic_id"))
        batch_op.drop_index(batch_op.f("ix_sessions_thread_id"))
        batch_op.drop_index(batch_op.f("ix_sessions_note_taker_id"))
        batch_op.drop_index(batch_op.f("ix_sessions_host_id"))
        batch_op.drop_index(
            "ix_sessions_due",
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_sessions_community_id"))

    op.drop_table("sessions")
    with op.batch_alter_table("interests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_interests_member_id"))

    op.drop_table("interests")
    with op.batch_alter_table("topics", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_topics_open",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index(batch_op.f("ix_topics_member_id"))
        batch_op.drop_index(batch_op.f("ix_topics_community_id"))

    op.drop_table("topics")
