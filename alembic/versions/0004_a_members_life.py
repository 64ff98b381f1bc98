"""a member's life

The keys of messages become lookups that tell nothing. Those of older messages cannot be made anew
without the sealing keys: they become random, so that what was to be said once before this
migration could be said once more after it.
"""

from typing import Any

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"

PAYLOAD = sa.text("payload IS NOT NULL")
NOBODYS = sa.text("address_id IS NULL AND payload IS NOT NULL")
LINKED = sa.text("asker IS NOT NULL")


def never_again() -> dict[str, Any]:
    """The number of somebody who was erased, or of a draft that is gone, is never given again."""
    if op.get_bind().dialect.name != "sqlite":
        return {}
    return {"recreate": "always", "table_kwargs": {"sqlite_autoincrement": True}}


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column(
            "community_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)

    op.create_table(
        "envelopes",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_envelopes")),
    )
    with op.batch_alter_table("envelopes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_envelopes_due_at"), ["due_at"], unique=False)

    op.create_table(
        "erasures",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("work", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_erasures_due_at"), ["due_at"], unique=False)

    op.create_table(
        "tallies",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tallies")),
    )
    with op.batch_alter_table("tallies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tallies_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "codes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_codes_member_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_codes")),
        sa.UniqueConstraint("key", name=op.f("uq_codes_key")),
    )
    with op.batch_alter_table("codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_codes_member_id"), ["member_id"], unique=False)

    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column(
            "programme_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("reporter", sa.LargeBinary(), nullable=True),
        sa.Column("named", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programmes.id"],
            name=op.f("fk_reports_programme_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("key", name=op.f("uq_reports_key")),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("author", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name=op.f("fk_notes_report_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    with op.batch_alter_table("notes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notes_report_id"), ["report_id"], unique=False)

    op.create_table(
        "role_offers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "community_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("giver_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["communities.id"],
            name=op.f("fk_role_offers_community_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["giver_id"],
            ["members.id"],
            name=op.f("fk_role_offers_giver_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["members.id"],
            name=op.f("fk_role_offers_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_offers")),
    )
    with op.batch_alter_table("role_offers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_role_offers_giver_id"), ["giver_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_role_offers_member_id"), ["member_id"], unique=False)

    with op.batch_alter_table("address_keys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("name", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("addresses", schema=None, **never_again()) as batch_op:
        batch_op.add_column(
            sa.Column("first_choice", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        batch_op.add_column(sa.Column("linked_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("doubted_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("unlocked_until", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("heard_since", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column("heard_count", sa.Integer(), server_default="0", nullable=False)
        )

    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_deliveries_member_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_deliveries_address_id"), type_="foreignkey")

    with op.batch_alter_table("follows", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("muted", sa.Boolean(), server_default=sa.false(), nullable=False)
        )

    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.alter_column("payload", existing_type=sa.LargeBinary(), nullable=True)
        batch_op.drop_constraint(batch_op.f("fk_inbox_address_id"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_inbox_address_id"),
            "addresses",
            ["address_id"],
            ["id"],
            ondelete="SET NULL",
        )
        batch_op.drop_index(batch_op.f("ix_inbox_received_at"))
        batch_op.create_index(
            "ix_inbox_kept", ["received_at"], sqlite_where=PAYLOAD, postgresql_where=PAYLOAD
        )
        batch_op.create_index(
            "ix_inbox_nobodys", ["id"], sqlite_where=NOBODYS, postgresql_where=NOBODYS
        )

    with op.batch_alter_table("members", schema=None, **never_again()) as batch_op:
        batch_op.add_column(sa.Column("paused_until", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("quiet_from", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("quiet_until", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("secret", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("erasing_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column("erases_posts", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.create_index(batch_op.f("ix_members_erasing_at"), ["erasing_at"], unique=False)

    with op.batch_alter_table("memberships", schema=None, **never_again()) as batch_op:
        batch_op.add_column(sa.Column("role_until", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "role_from", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
            )
        )
        batch_op.add_column(
            sa.Column("pace", sa.String(length=12), server_default="at_once", nullable=False)
        )

    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE messages SET key = randomblob(16)")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("wide", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.alter_column(
            "key",
            existing_type=sa.VARCHAR(length=80),
            type_=sa.LargeBinary(length=16),
            postgresql_using="decode(md5(key || random()::text), 'hex')",
            existing_nullable=False,
        )

    with op.batch_alter_table("posts", schema=None, **never_again()) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_posts_author_id"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_posts_author_id"), "members", ["author_id"], ["id"], ondelete="SET NULL"
        )

    with op.batch_alter_table("programmes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("retention", sa.JSON(), nullable=True))

    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("anonymous", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("asker", sa.LargeBinary(), nullable=True))
        batch_op.add_column(
            sa.Column("scope", sa.String(length=12), server_default="community", nullable=False)
        )
        batch_op.drop_constraint(batch_op.f("fk_threads_asker_id"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_threads_asker_id"), "members", ["asker_id"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_index(
            "ix_threads_linked", ["id"], sqlite_where=LINKED, postgresql_where=LINKED
        )

    op.execute("UPDATE prompts SET chosen = NULL")
    with op.batch_alter_table("prompts", schema=None) as batch_op:
        batch_op.alter_column(
            "chosen",
            existing_type=sa.Integer(),
            type_=sa.LargeBinary(length=16),
            postgresql_using="NULL::bytea",
            existing_nullable=True,
        )


def downgrade() -> None:
    op.execute("UPDATE prompts SET chosen = NULL")
    with op.batch_alter_table("prompts", schema=None) as batch_op:
        batch_op.alter_column(
            "chosen",
            existing_type=sa.LargeBinary(length=16),
            type_=sa.Integer(),
            postgresql_using="NULL::integer",
            existing_nullable=True,
        )
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_threads_asker_id"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_threads_asker_id"), "members", ["asker_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.drop_index("ix_threads_linked")
        batch_op.drop_column("scope")
        batch_op.drop_column("asker")
        batch_op.drop_column("anonymous")

    with op.batch_alter_table("programmes", schema=None) as batch_op:
        batch_op.drop_column("retention")

    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_posts_author_id"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_posts_author_id"), "members", ["author_id"], ["id"], ondelete="CASCADE"
        )

    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE messages SET key = hex(key)")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.alter_column(
            "key",
            existing_type=sa.LargeBinary(length=16),
            type_=sa.VARCHAR(length=80),
            postgresql_using="encode(key, 'hex')",
            existing_nullable=False,
        )
        batch_op.drop_column("wide")

    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.drop_column("pace")
        batch_op.drop_column("role_from")
        batch_op.drop_column("role_until")

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_members_erasing_at"))
        batch_op.drop_column("erases_posts")
        batch_op.drop_column("erasing_at")
        batch_op.drop_column("secret")
        batch_op.drop_column("quiet_until")
        batch_op.drop_column("quiet_from")
        batch_op.drop_column("paused_until")

    op.execute("DELETE FROM inbox WHERE payload IS NULL")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index("ix_inbox_nobodys")
        batch_op.drop_index("ix_inbox_kept")
        batch_op.create_index(batch_op.f("ix_inbox_received_at"), ["received_at"])
        batch_op.drop_constraint(batch_op.f("fk_inbox_address_id"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_inbox_address_id"),
            "addresses",
            ["address_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.alter_column("payload", existing_type=sa.LargeBinary(), nullable=False)

    with op.batch_alter_table("follows", schema=None) as batch_op:
        batch_op.drop_column("muted")

    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_foreign_key(
            batch_op.f("fk_deliveries_address_id"),
            "addresses",
            ["address_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_deliveries_member_id"),
            "members",
            ["member_id"],
            ["id"],
            ondelete="CASCADE",
        )

    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.drop_column("heard_count")
        batch_op.drop_column("heard_since")
        batch_op.drop_column("unlocked_until")
        batch_op.drop_column("doubted_at")
        batch_op.drop_column("linked_at")
        batch_op.drop_column("first_choice")

    with op.batch_alter_table("address_keys", schema=None) as batch_op:
        batch_op.drop_column("name")

    with op.batch_alter_table("role_offers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_role_offers_member_id"))
        batch_op.drop_index(batch_op.f("ix_role_offers_giver_id"))

    op.drop_table("role_offers")
    with op.batch_alter_table("notes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notes_report_id"))

    op.drop_table("notes")
    op.drop_table("reports")
    with op.batch_alter_table("codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_codes_member_id"))

    op.drop_table("codes")
    with op.batch_alter_table("tallies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tallies_expires_at"))

    op.drop_table("tallies")
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasures_due_at"))

    op.drop_table("erasures")
    with op.batch_alter_table("envelopes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_envelopes_due_at"))

    op.drop_table("envelopes")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_at"))

    op.drop_table("audit")
