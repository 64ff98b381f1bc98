"""Stories as a spreadsheet: only what may be used so at this moment, and what to take out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot import clock, sheets
from bot.db import Database
from bot.sheets import Column
from bot.store import appointments, communities, story_exports
from bot.store.stories import PARTS
from bot.store.story_exports import Line

TABLE = "story_exports"  # of the reference that a message has in place of the file
FILE_NAME = "stories.xlsx"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
POWER = "stories.export"

_COLUMNS = (
    Column("story", 8),
    Column("group", 16),
    Column("kind of change", 16),
    Column("told by", 24),
    Column("named", 14),
    Column("agreed on", 12),
    Column("agreed to", 24),
    *(Column(each, 50) for each in ("who", "before", "what happened", "why it matters")),
)
_OUT = (Column("story", 8), Column("file of", 20), Column("not to be used since", 20))
_NOTE = "Recordings and pictures are not in this file."


def export(
    db: Connection,
    made_by: int | None,
    use: str,
    community_ids: Sequence[int] | None,
    now: datetime,
) -> tuple[int, bytes]:
    """A new file, and its number; it is remembered which stories it has."""
    lines = story_exports.list_lines(db, use, community_ids)
    id_ = story_exports.add(db, made_by, use, [each.story_id for each in lines], now)
    return id_, _write(db, use, community_ids, lines)


def _write(
    db: Connection, use: str, community_ids: Sequence[int] | None, lines: Sequence[Line]
) -> bytes:
    told = [*(_row(each) for each in lines), [_NOTE, *[""] * (len(_COLUMNS) - 1)]]
    out = [
        [str(number), f"{made_at:%Y-%m-%d %H:%M}", f"{out_at:%Y-%m-%d}"]
        for number, made_at, out_at in story_exports.list_out(db, use, community_ids)
    ]
    return sheets.write_several((("stories", _COLUMNS, told), ("take out", _OUT, out)))


def _row(line: Line) -> list[str]:
    return [
        str(line.story_id),
        line.community,
        line.domain or "",
        line.name or "",
        line.how,
        f"{line.given_at:%Y-%m-%d}",
        ", ".join(line.uses),
        *(line.words.get(each, "") for each in PARTS),
    ]


# In a chat --------------------------------------------------------------------------------------


async def make(database: Database, address_id: int, export_id: int) -> bytes | None:
    """The file for who asked for it, as things stand now. Raises StoreDown."""
    return await database.run(lambda db: find_made(db, address_id, export_id))


def find_made(db: Connection, address_id: int, export_id: int) -> bytes | None:
    """None if it is not hers, or not any more: what was withdrawn meanwhile is not in it."""
    reader = appointments.find_reader(db, address_id)
    asked = story_exports.find(db, export_id)
    if reader is None or asked is None or asked.made_by != reader.member_id:
        return None
    places = list_places(db, reader.member_id)
    if not places:
        return None
    wanted = story_exports.list_stories(db, export_id)
    lines = story_exports.list_lines(db, asked.use, places)
    return _write(db, asked.use, places, [each for each in lines if each.story_id in wanted])


def list_places(db: Connection, member_id: int) -> list[int]:
    """Where she may take stories along."""
    found = communities.list_where(db, member_id, POWER, clock.now())
    return [each.id for each in found]
