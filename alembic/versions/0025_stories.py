"""stories"""

import sqlalchemy as sa

from alembic import op

revision = "0025"
down_revision = "0024"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "story_exports",
        sa.Column("id", ID, nullable=False),
        sa.Column("made_by", ID, nullable=True),
        sa.Column("use", sa.String(length=12), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by"], ["members.id"], name=op.f("fk_story_exports_made_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story_exports")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("story_exports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_story_exports_made_by"), ["made_by"], unique=False)

    op.create_table(
        "rounds",
        sa.Column("id", ID, nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("programme_id", ID, nullable=False),
        sa.Column("community_id", ID, nullable=True),
        sa.Column("opened_by", ID, nullable=True),
        sa.Column("domain", sa.String(length=12), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("again", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("closes_at", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["communities.id"],
            name=op.f("fk_rounds_community_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["members.id"], name=op.f("fk_rounds_opened_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["rounds.id"], name=op.f("fk_rounds_parent_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programmes.id"],
            name=op.f("fk_rounds_programme_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rounds_community_id"), ["community_id"], unique=False)
        batch_op.create_index(
            "ix_rounds_due",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_rounds_opened_by"), ["opened_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_rounds_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_rounds_programme_id"), ["programme_id"], unique=False)

    op.create_table(
        "stories",
        sa.Column("id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=True),
        sa.Column("community_id", ID, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("domain", sa.String(length=12), nullable=True),
        sa.Column("others", sa.String(length=8), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["communities.id"],
            name=op.f("fk_stories_community_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_stories_member_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stories")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("stories", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stories_community_id"), ["community_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stories_member_id"), ["member_id"], unique=False)

    op.create_table(
        "candidates",
        sa.Column("id", ID, nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("chosen", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("voices", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["round_id"], ["rounds.id"], name=op.f("fk_candidates_round_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["story_id"], ["stories.id"], name=op.f("fk_candidates_story_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidates")),
        sa.UniqueConstraint("round_id", "story_id", name=op.f("uq_candidates_round_id_story_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("candidates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_candidates_story_id"), ["story_id"], unique=False)

    op.create_table(
        "consents",
        sa.Column("id", ID, nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.Column("use", sa.String(length=12), nullable=False),
        sa.Column("how", sa.String(length=12), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["story_id"], ["stories.id"], name=op.f("fk_consents_story_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(
            "ix_consents_live",
            ["story_id", "use"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_consents_story_id"), ["story_id"], unique=False)

    op.create_table(
        "exported",
        sa.Column("export_id", ID, nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.Column("out_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["export_id"],
            ["story_exports.id"],
            name=op.f("fk_exported_export_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["story_id"], ["stories.id"], name=op.f("fk_exported_story_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("export_id", "story_id", name=op.f("pk_exported")),
    )
    with op.batch_alter_table("exported", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exported_story_id"), ["story_id"], unique=False)

    op.create_table(
        "choices",
        sa.Column("round_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("candidate_id", ID, nullable=False),
        sa.Column("post_id", ID, nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidates.id"],
            name=op.f("fk_choices_candidate_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_choices_member_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_choices_post_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["rounds.id"], name=op.f("fk_choices_round_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("round_id", "member_id", name=op.f("pk_choices")),
    )
    with op.batch_alter_table("choices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_choices_candidate_id"), ["candidate_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_choices_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_choices_post_id"), ["post_id"], unique=False)

    op.create_table(
        "reasons",
        sa.Column("id", ID, nullable=False),
        sa.Column("candidate_id", ID, nullable=False),
        sa.Column("post_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidates.id"],
            name=op.f("fk_reasons_candidate_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_reasons_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reasons")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("reasons", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reasons_candidate_id"), ["candidate_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reasons_post_id"), ["post_id"], unique=False)

    op.create_table(
        "story_parts",
        sa.Column("story_id", ID, nullable=False),
        sa.Column("name", sa.String(length=12), nullable=False),
        sa.Column("post_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_story_parts_post_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["story_id"], ["stories.id"], name=op.f("fk_story_parts_story_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("story_id", "name", name=op.f("pk_story_parts")),
    )
    with op.batch_alter_table("story_parts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_story_parts_post_id"), ["post_id"], unique=False)

    op.create_table(
        "story_questions",
        sa.Column("candidate_id", ID, nullable=False),
        sa.Column("asked_by", ID, nullable=True),
        sa.Column("post_id", ID, nullable=False),
        sa.Column("answered", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by"],
            ["members.id"],
            name=op.f("fk_story_questions_asked_by"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidates.id"],
            name=op.f("fk_story_questions_candidate_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_story_questions_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("candidate_id", name=op.f("pk_story_questions")),
    )
    with op.batch_alter_table("story_questions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_story_questions_asked_by"), ["asked_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_story_questions_post_id"), ["post_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("story_questions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_story_questions_post_id"))
        batch_op.drop_index(batch_op.f("ix_story_questions_asked_by"))

    op.drop_table("story_questions")
    with op.batch_alter_table("story_parts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_story_parts_post_id"))

    op.drop_table("story_parts")
    with op.batch_alter_table("reasons", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reasons_post_id"))
        batch_op.drop_index(batch_op.f("ix_reasons_candidate_id"))

    op.drop_table("reasons")
    with op.batch_alter_table("choices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_choices_post_id"))
        batch_op.drop_index(batch_op.f("ix_choices_member_id"))
        batch_op.drop_index(batch_op.f("ix_choices_candidate_id"))

    op.drop_table("choices")
    with op.batch_alter_table("exported", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_exported_story_id"))

    op.drop_table("exported")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consents_story_id"))
        batch_op.drop_index(
            "ix_consents_live",
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )

    op.drop_table("consents")
    with op.batch_alter_table("candidates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_candidates_story_id"))

    op.drop_table("candidates")
    with op.batch_alter_table("stories", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stories_member_id"))
        batch_op.drop_index(batch_op.f("ix_stories_community_id"))

    op.drop_table("stories")
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rounds_programme_id"))
        batch_op.drop_index(batch_op.f("ix_rounds_parent_id"))
        batch_op.drop_index(batch_op.f("ix_rounds_opened_by"))
        batch_op.drop_index(
            "ix_rounds_due",
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_rounds_community_id"))

    op.drop_table("rounds")
    with op.batch_alter_table("story_exports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_story_exports_made_by"))

    op.drop_table("story_exports")
