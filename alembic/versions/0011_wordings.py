"""names of communities are contents; overrides can be undone"""

import hashlib
import time
from typing import Any

import sqlalchemy as sa

from alembic import op

revision = "0011"
down_revision = "0010"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

communities = sa.table(
    "communities", sa.column("id"), sa.column("language"), sa.column("names", sa.JSON())
)
contents = sa.table(
    "contents",
    *map(
        sa.column,
        ("id", "key", "community_id", "kind", "language", "hash", "created_at"),
    ),
)
wordings = sa.table(
    "wordings",
    *map(
        sa.column,
        (
            "content_id",
            "language",
            "text",
            "status",
            "source_hash",
            "library_hash",
            "changed_at",
        ),
    ),
)


def _kept() -> dict[str, bool]:
    """SQLite numbers rows anew in a table it copies, unless it is told not to."""
    return {"sqlite_autoincrement": True} if op.get_bind().dialect.name == "sqlite" else {}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _move_names(now: int) -> None:
    """Each name becomes a content of its community, a wording for each language."""
    db = op.get_bind()
    for row in db.execute(sa.select(communities)).all():
        names: dict[str, str] = dict(row.names or {})
        if not names:
            continue
        source = next((code for code in (row.language, "en") if names.get(code)), min(names))
        about = {
            "key": f"community/{row.id}/name",
            "community_id": row.id,
            "kind": "name",
            "language": source,
            "hash": _hash(names[source]),
            "created_at": now,
        }
        db.execute(sa.insert(contents).values(about))
        id_ = db.execute(sa.select(contents.c.id).where(contents.c.key == about["key"])).scalar()
        for code, name in names.items():
            wording = {
                "content_id": id_,
                "language": code,
                "text": name,
                "status": "reviewed",
                "source_hash": about["hash"],
                "library_hash": _hash(name),
                "changed_at": now,
            }
            db.execute(sa.insert(wordings).values(wording))


def _move_back() -> None:
    db = op.get_bind()
    found: dict[int, dict[str, str]] = {}
    rows = db.execute(
        sa.select(contents.c.community_id, wordings.c.language, wordings.c.text)
        .join_from(contents, wordings, wordings.c.content_id == contents.c.id)
        .where(contents.c.kind == "name")
    )
    for row in rows:
        found.setdefault(row.community_id, {})[row.language] = row.text
    for community_id, names in found.items():
        one = communities.c.id == community_id
        db.execute(sa.update(communities).where(one).values(names=names))
    ours: Any = sa.select(contents.c.id).where(contents.c.kind.in_(("name", "purpose")))
    db.execute(sa.delete(wordings).where(wordings.c.content_id.in_(ours)))
    db.execute(sa.delete(contents).where(contents.c.kind.in_(("name", "purpose"))))


def upgrade() -> None:
    _move_names(time.time_ns() // 1000)
    with op.batch_alter_table("communities", schema=None) as batch_op:
        batch_op.drop_column("names")
    _drop_overrides(indexes=("ix_overrides_changed_at", "ix_overrides_author_id"))
    op.create_table(
        "overrides",
        sa.Column("id", ID, nullable=False),
        *_columns(),
        sa.Column("before", sa.JSON(), nullable=True),
        *_keys(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overrides")),
        sa.UniqueConstraint(
            "programme_id", "language", "hash", name=op.f("uq_overrides_programme_id_language_hash")
        ),
        **_kept(),
    )
    with op.batch_alter_table("overrides", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_overrides_author_id"), ["author_id"], unique=False)


def _columns() -> list[Any]:
    return [
        sa.Column("programme_id", ID, nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("hash", sa.String(length=16), nullable=False),
        sa.Column("msgid", sa.Text(), nullable=False),
        sa.Column("forms", sa.JSON(), nullable=False),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    ]


def _keys() -> list[Any]:
    return [
        sa.ForeignKeyConstraint(
            ["author_id"], ["members.id"], name=op.f("fk_overrides_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programmes.id"],
            name=op.f("fk_overrides_programme_id"),
            ondelete="CASCADE",
        ),
    ]


def _drop_overrides(indexes: tuple[str, ...]) -> None:
    """Nothing wrote there before this one, or what did is gone with it."""
    with op.batch_alter_table("overrides", schema=None) as batch_op:
        for name in indexes:
            batch_op.drop_index(batch_op.f(name))
    op.drop_table("overrides")


def downgrade() -> None:
    _drop_overrides(indexes=("ix_overrides_author_id",))
    op.create_table(
        "overrides",
        *_columns(),
        *_keys(),
        sa.PrimaryKeyConstraint("programme_id", "language", "hash", name=op.f("pk_overrides")),
    )
    with op.batch_alter_table("overrides", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_overrides_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_overrides_changed_at"), ["changed_at"], unique=False)

    with op.batch_alter_table("communities", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("names", sa.JSON(), server_default=sa.text("'{}'"), nullable=False)
        )
    _move_back()
    with op.batch_alter_table("communities", schema=None) as batch_op:
        batch_op.alter_column("names", server_default=None)
