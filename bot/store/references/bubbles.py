"""What posts and notes say, bubble by bubble, and the recordings, pictures and files among them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, literal, null, select

from bot.captioned import FILES, line
from bot.i18n import Own
from bot.messages import Text, _
from bot.models.captions import captions
from bot.models.media import media
from bot.models.people import members
from bot.models.records import records
from bot.models.safeguards import notes
from bot.models.talks import bubbles, posts
from bot.store.references.beneath import COLUMNS, SHOWN, words_of
from bot.store.references.words import Words, plain, same, sentence, written_in

_HEAVY = _("(a heavy story)")
_FORWARDED = _("(forwarded)")
LENGTHS = {
    "voice": lambda length: _("(voice note, {length})", length=length),
    "video": lambda length: _("(video, {length})", length=length),
}
_KINDS = {
    **FILES,
    "location": _("(location: kept, but not passed on)"),
    "contact": _("(contact card: kept, but not passed on)"),
    "sticker": _("(sticker)"),
}
_WAITING = {
    "voice": _("(voice note: it has not arrived yet)"),
    "video": _("(video: it has not arrived yet)"),
    "photo": _("(photo: it has not arrived yet)"),
    "document": _("(file: it has not arrived yet)"),
}
_FAILED = {
    "voice": _("(voice note: it could not be fetched)"),
    "video": _("(video: it could not be fetched)"),
    "photo": _("(photo: it could not be fetched)"),
    "document": _("(file: it could not be fetched)"),
}
_GONE = {
    "voice": _("(voice note: it is not kept any more)"),
    "video": _("(video: it is not kept any more)"),
    "photo": _("(photo: it is not kept any more)"),
    "document": _("(file: it is not kept any more)"),
}
_BEGUN = ("draft", "waiting")  # posts that nobody else has seen; their files are not shown to her


@dataclass(frozen=True, slots=True)
class Medium:
    """A recording, a picture or a file that can be handed over."""

    id: int
    kind: str  # voice, video, photo, document
    mime: str | None


class Shown:
    """What a post says and brings along."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def __call__(self, language: str, own: Own) -> str:
        typed = sorted(_in(language, self._rows), key=lambda row: row.kind != "text")
        lines = [_bubble(row, language, own) for row in typed]  # its words, then the files
        source = typed[0].language  # only what was written for readers of all languages has one
        if source is not None and source != language:
            lines.insert(0, plain(written_in(source), language, own))
        if any(row.forwarded for row in self._rows):
            lines.insert(0, plain(_FORWARDED, language, own))
        return "\n".join(lines)

    def media(self, language: str) -> tuple[Medium, ...]:
        """In the order they came, as far as they are there."""
        return tuple(
            Medium(row.media_id, row.kind, row.mime)
            for row in _in(language, self._rows)
            if row.stored == "stored" and row.state not in _BEGUN
        )


def read_posts(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What posts say; of a heavy one only that it is heavy, once others may see it."""
    found = _read(db, ids)
    return {
        id_: sentence(_HEAVY) if rows[0].heavy and rows[0].state == "live" else Shown(rows)
        for id_, rows in found.items()
    }


def read_leaves(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What leaves of the Happy Tree say: words alone, their voices are not passed on.

    Who wrote a voice down is mostly the one who spoke: of a leaf that is never said.
    """
    return {id_: _leaf(rows) for id_, rows in _read(db, ids).items()}


def _leaf(rows: list[Any]) -> Words:
    typed = [row.text for row in rows if row.kind == "text"]
    if typed:
        return same("\n".join(typed))
    heard = [row for row in rows if row.caption is not None and row.kind in LENGTHS]
    return sentence(
        line(heard[0].caption_kind, heard[0].caption, None) if heard else _KINDS["voice"]
    )


def read_stories(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What posts say, for somebody who chose to read even a heavy one."""
    return {id_: Shown(rows) for id_, rows in _read(db, ids).items()}


def read_referred(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What posts say, hidden ones too: for the focal point they were referred to."""
    return {id_: Shown(rows) for id_, rows in _read(db, ids, hidden=True).items()}


def _read(db: Connection, ids: list[int], *, hidden: bool = False) -> dict[int, list[Any]]:
    statement = (
        select(
            posts.c.id,
            posts.c.state,
            posts.c.heavy,
            bubbles.c.kind,
            bubbles.c.text,
            bubbles.c.language,
            bubbles.c.forwarded,
            *_of_media(),
            *COLUMNS,
        )
        .join(bubbles, bubbles.c.post_id == posts.c.id)
        .outerjoin(media, media.c.id == bubbles.c.media_id)
        .outerjoin(captions, (captions.c.media_id == bubbles.c.media_id) & SHOWN)
        .outerjoin(members, members.c.id == captions.c.author_id)
        .where(posts.c.id.in_(ids))
        .order_by(bubbles.c.id)
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in db.execute(statement):
        if hidden or row.state != "hidden":
            found[row.id].append(row)
    return found


def read_records(db: Connection, ids: list[int]) -> dict[int, Words]:
    """Notes that were not sent yet."""
    statement = (
        select(
            records.c.id,
            records.c.file.label("kind"),
            records.c.text,
            literal("draft").label("state"),
            *_of_media(),
        )
        .outerjoin(media, media.c.id == records.c.media_id)
        .where(records.c.id.in_(ids))
    )
    return {
        row.id: same(row.text) if row.kind == "text" else sentence(_file(row))
        for row in db.execute(statement)
    }


def read_notes(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What was said about a report: for a focal point, or who has the receipt."""
    statement = (
        select(
            notes.c.id,
            notes.c.kind,
            notes.c.text,
            literal("live").label("state"),
            literal(False).label("forwarded"),
            null().label("language"),
            null().label("caption"),
            *_of_media(),
        )
        .outerjoin(media, media.c.id == notes.c.media_id)
        .where(notes.c.id.in_(ids))
    )
    return {row.id: Shown([row]) for row in db.execute(statement)}


def _of_media() -> list[ColumnElement[Any]]:
    about = (media.c.id.label("media_id"), media.c.state.label("stored"))
    return [*about, media.c.mime, media.c.milliseconds]


def _in(language: str, rows: list[Any]) -> list[Any]:
    """An announcement in the reader's language if it was translated, else as it was written."""
    translated = [row for row in rows if row.language == language]
    return translated or [row for row in rows if row.language == rows[0].language]


def _bubble(row: Any, language: str, own: Own) -> str:
    if row.kind == "text":
        return str(row.text)
    file = plain(_file(row), language, own)
    return file if row.caption is None else f"{file}\n{words_of(row)(language, own)}"


def _file(row: Any) -> Text:
    """What stands for it among the words: how long it is, or why it is not there."""
    kind = row.kind if row.kind in _KINDS else "document"
    if kind not in _GONE:
        return _KINDS[kind]
    if row.stored == "stored" and row.milliseconds is not None and kind in LENGTHS:
        minutes, seconds = divmod(max(1, round(row.milliseconds / 1000)), 60)
        return LENGTHS[kind](f"{minutes}:{seconds:02}")
    if row.stored == "waiting" and row.state not in _BEGUN:
        return _WAITING[kind]
    of_state = {"stored": _KINDS, "waiting": _KINDS, "failed": _FAILED}
    return of_state.get(row.stored or "", _GONE)[kind]
