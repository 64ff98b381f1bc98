"""media"""

import secrets

import sqlalchemy as sa

from alembic import op

revision = "0022"
down_revision = "0021"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

KINDS = ("voice", "video", "photo", "document")
FEW = 500  # rows at a time


def upgrade() -> None:
    op.create_table(
        "media",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("mime", sa.String(length=60), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["members.id"], name=op.f("fk_media_owner_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint("name", name=op.f("uq_media_name")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.create_index(
            "ix_media_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_media_owner_id"), ["owner_id"], unique=False)

    for table in ("bubbles", "records"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("media_id", ID, nullable=True))
            batch_op.create_index(batch_op.f(f"ix_{table}_media_id"), ["media_id"], unique=False)
            batch_op.create_foreign_key(
                batch_op.f(f"fk_{table}_media_id"),
                "media",
                ["media_id"],
                ["id"],
                ondelete="SET NULL",
            )
    _move_references()
    for table in ("bubbles", "records"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("reference")


def _move_references() -> None:
    """Each file that was only named gets a row, from which it is fetched if that can still be."""
    db = op.get_bind()
    found = db.execute(sa.text("SELECT member_id, lane FROM addresses GROUP BY member_id, lane"))
    lanes: dict[int, list[str]] = {}
    for member_id, lane in found:
        lanes.setdefault(member_id, []).append(lane)
    _move(
        lanes,
        "bubbles",
        "SELECT x.id, x.kind, x.reference, p.author_id, x.created_at"
        " FROM bubbles x JOIN posts p ON p.id = x.post_id",
    )
    _move(
        lanes,
        "records",
        "SELECT x.id, x.file, NULL, x.author_id, x.created_at FROM records x",
    )


def _move(lanes: dict[int, list[str]], table: str, select: str) -> None:
    """Sealed handles are moved as they are, so those of records, sealed as such, are given up."""
    db = op.get_bind()
    some = sa.text(
        f"{select} WHERE x.reference IS NOT NULL AND x.id > :after ORDER BY x.id LIMIT {FEW}"
    )
    after = 0
    while rows := db.execute(some, {"after": after}).all():
        after = rows[-1][0]
        for id_, kind, reference, owner_id, created_at in rows:
            if kind in KINDS:
                media_id = _add(kind, reference, owner_id, created_at, lanes.get(owner_id, []))
                point = sa.text(f"UPDATE {table} SET media_id = :media_id WHERE id = :id")
                db.execute(point, {"media_id": media_id, "id": id_})


def _add(
    kind: str, reference: bytes | None, owner_id: int | None, created_at: int, lanes: list[str]
) -> int:
    """Where it came in is known if its author is on one lane only."""
    known = reference is not None and len(lanes) == 1
    row = {
        "name": secrets.token_hex(16),
        "owner_id": owner_id,
        "lane": lanes[0] if known else "",
        "reference": reference if known else None,
        "kind": kind,
        "state": "waiting" if known else "failed",
        "reason": None if known else "old",
        "due_at": created_at if known else None,
        "created_at": created_at,
    }
    columns = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    insert = sa.text(f"INSERT INTO media ({columns}) VALUES ({values}) RETURNING id")
    return int(op.get_bind().execute(insert, row).scalar_one())


def downgrade() -> None:
    for table in ("records", "bubbles"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("reference", sa.LargeBinary(), nullable=True))
            batch_op.drop_constraint(batch_op.f(f"fk_{table}_media_id"), type_="foreignkey")
            batch_op.drop_index(batch_op.f(f"ix_{table}_media_id"))
            batch_op.drop_column("media_id")
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_media_owner_id"))
        batch_op.drop_index(
            "ix_media_due",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
    op.drop_table("media")
