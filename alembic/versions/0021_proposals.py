"""proposals"""

import sqlalchemy as sa

from alembic import op

revision = "0021"
down_revision = "0020"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", ID, nullable=False),
        sa.Column("community_id", ID, nullable=False),
        sa.Column("opened_by", ID, nullable=True),
        sa.Column("post_id", ID, nullable=True),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("thread_id", ID, nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["communities.id"],
            name=op.f("fk_proposals_community_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["members.id"], name=op.f("fk_proposals_opened_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_proposals_post_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name=op.f("fk_proposals_thread_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_proposals_community_id"), ["community_id"], unique=False
        )
        batch_op.create_index(
            "ix_proposals_due",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_proposals_opened_by"), ["opened_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_proposals_post_id"), ["post_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_proposals_thread_id"), ["thread_id"], unique=False)

    op.create_table(
        "ideas",
        sa.Column("id", ID, nullable=False),
        sa.Column("proposal_id", ID, nullable=False),
        sa.Column("post_id", ID, nullable=False),
        sa.Column("hands", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_ideas_post_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_ideas_proposal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ideas")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("ideas", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ideas_post_id"), ["post_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ideas_proposal_id"), ["proposal_id"], unique=False)

    op.create_table(
        "sections",
        sa.Column("id", ID, nullable=False),
        sa.Column("proposal_id", ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=12), nullable=True),
        sa.Column("title_id", ID, nullable=True),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("post_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["members.id"], name=op.f("fk_sections_owner_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_sections_post_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposals.id"],
            name=op.f("fk_sections_proposal_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["title_id"], ["posts.id"], name=op.f("fk_sections_title_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sections")),
        sa.UniqueConstraint("proposal_id", "place", name=op.f("uq_sections_proposal_id_place")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("sections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sections_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sections_post_id"), ["post_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sections_title_id"), ["title_id"], unique=False)

    op.create_table(
        "hands",
        sa.Column("proposal_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("idea_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_hands_idea_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_hands_member_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_hands_proposal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("proposal_id", "member_id", name=op.f("pk_hands")),
    )
    with op.batch_alter_table("hands", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hands_idea_id"), ["idea_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_hands_member_id"), ["member_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("hands", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hands_member_id"))
        batch_op.drop_index(batch_op.f("ix_hands_idea_id"))

    op.drop_table("hands")
    with op.batch_alter_table("sections", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sections_title_id"))
        batch_op.drop_index(batch_op.f("ix_sections_post_id"))
        batch_op.drop_index(batch_op.f("ix_sections_owner_id"))

    op.drop_table("sections")
    with op.batch_alter_table("ideas", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ideas_proposal_id"))
        batch_op.drop_index(batch_op.f("ix_ideas_post_id"))

    op.drop_table("ideas")
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proposals_thread_id"))
        batch_op.drop_index(batch_op.f("ix_proposals_post_id"))
        batch_op.drop_index(batch_op.f("ix_proposals_opened_by"))
        batch_op.drop_index(
            "ix_proposals_due",
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_proposals_community_id"))

    op.drop_table("proposals")
