"""What a reference in a text stands for at this moment, in the reader's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, select

from bot.i18n import SOURCE, render, shorten
from bot.messages import Ref, Text, _
from bot.models.people import communities, help_contacts, members, programmes
from bot.models.safeguards import notes
from bot.models.talks import bubbles, posts, threads

Words = Callable[[str], str]  # language -> words

_FILES = {
    "voice": _("(voice note: kept, but not passed on yet)"),
    "photo": _("(photo: kept, but not passed on yet)"),
    "video": _("(video: kept, but not passed on yet)"),
    "location": _("(location: kept, but not passed on yet)"),
    "contact": _("(contact card: kept, but not passed on)"),
}
_OTHER_FILE = _("(file: kept, but not passed on yet)")
_HIDDEN = _("(taken back)")
_HEAVY = _("(a heavy story)")
_FORMER = _("a former member")
_FORWARDED = _("(forwarded)")
_YOUR_GROUP = _("your group")


class References:
    """Looks up all rows that a batch of messages refers to, one statement per table."""

    def __init__(self, db: Connection, refs: Iterable[Ref]) -> None:
        wanted: dict[str, set[int]] = defaultdict(set)
        for ref in refs:
            wanted[ref.table].add(ref.id)
        self._found: dict[tuple[str, int], Words] = {}
        for table, ids in wanted.items():
            read = _READERS.get(table)
            if read is not None:  # a table that is gone: the text says "taken back"
                for id_, words in read(db, sorted(ids)).items():
                    self._found[table, id_] = words

    def __contains__(self, ref: object) -> bool:
        """Whether it still stands for something."""
        return isinstance(ref, Ref) and (ref.table, ref.id) in self._found

    def __call__(self, ref: Ref, language: str) -> str:
        words = self._found.get((ref.table, ref.id))
        said = _plain(_FORMER if ref.table == "members" else _HIDDEN, language)
        if words is not None:
            said = words(language)
        return said if ref.most is None else shorten(said, ref.most)


def _plain(text: Text, language: str) -> str:
    return render(text, language, lambda ref, _language: "")


def _read_members(db: Connection, ids: list[int]) -> dict[int, Words]:
    rows = db.execute(select(members.c.id, members.c.name).where(members.c.id.in_(ids)))
    return {row.id: _same(row.name) for row in rows if row.name}


def _read_organisations(db: Connection, ids: list[int]) -> dict[int, Words]:
    """The organisations of members, by member id."""
    rows = db.execute(select(members.c.id, members.c.organisation).where(members.c.id.in_(ids)))
    return {row.id: _same(row.organisation) for row in rows if row.organisation}


def _read_communities(db: Connection, ids: list[int]) -> dict[int, Words]:
    rows = db.execute(
        select(communities.c.id, communities.c.names, communities.c.discreet).where(
            communities.c.id.in_(ids)
        )
    )
    return {row.id: _unnamed if row.discreet else _named(row.names) for row in rows}


def _unnamed(language: str) -> str:
    """Whoever sees the phone learns nothing of a discreet community, not even its name."""
    return _plain(_YOUR_GROUP, language)


def _read_threads(db: Connection, ids: list[int]) -> dict[int, Words]:
    rows = db.execute(select(threads.c.id, threads.c.number).where(threads.c.id.in_(ids)))
    return {row.id: _same(f"Q{row.number}") for row in rows}


def _read_posts(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What posts say; of a heavy one only that it is heavy, once others may see it."""
    found = _read_bubbles(db, ids)
    return {
        id_: _heavy if rows[0].heavy and rows[0].state == "live" else _post(rows)
        for id_, rows in found.items()
    }


def _read_stories(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What posts say, for somebody who chose to read even a heavy one."""
    return {id_: _post(rows) for id_, rows in _read_bubbles(db, ids).items()}


def _read_referred(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What posts say, hidden ones too: for the focal point they were referred to."""
    return {id_: _post(rows) for id_, rows in _read_bubbles(db, ids, hidden=True).items()}


def _read_bubbles(db: Connection, ids: list[int], *, hidden: bool = False) -> dict[int, list[Any]]:
    statement = (
        select(
            posts.c.id,
            posts.c.state,
            posts.c.heavy,
            bubbles.c.kind,
            bubbles.c.text,
            bubbles.c.language,
            bubbles.c.forwarded,
        )
        .join(bubbles, bubbles.c.post_id == posts.c.id)
        .where(posts.c.id.in_(ids))
        .order_by(bubbles.c.id)
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in db.execute(statement):
        if hidden or row.state != "hidden":
            found[row.id].append(row)
    return found


def _heavy(language: str) -> str:
    return _plain(_HEAVY, language)


def _post(rows: list[Any]) -> Words:
    def words(language: str) -> str:
        typed = sorted(_in(language, rows), key=lambda row: row.kind != "text")  # then the files
        lines = [_bubble(row, language) for row in typed]
        if any(row.forwarded for row in rows):
            lines.insert(0, _plain(_FORWARDED, language))
        return "\n".join(lines)

    return words


def _in(language: str, rows: list[Any]) -> list[Any]:
    """An announcement in the reader's language if it was translated, else as it was written."""
    translated = [row for row in rows if row.language == language]
    return translated or [row for row in rows if row.language == rows[0].language]


def _bubble(row: Any, language: str) -> str:
    if row.kind == "text":
        return str(row.text)
    return _plain(_FILES.get(row.kind, _OTHER_FILE), language)


def _same(words: str) -> Words:
    return lambda _language: words


def _named(names: dict[str, str]) -> Words:
    return lambda language: names.get(language) or names.get(SOURCE) or next(iter(names.values()))


def _read_programmes(db: Connection, ids: list[int]) -> dict[int, Words]:
    statement = select(programmes.c.id, programmes.c.names).where(programmes.c.id.in_(ids))
    return {row.id: _named(row.names) for row in db.execute(statement)}


def _read_notes(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What was said about a report; shown to a focal point, or to who has the receipt."""
    rows = db.execute(select(notes.c.id, notes.c.text).where(notes.c.id.in_(ids)))
    return {row.id: _same(row.text) for row in rows}


def _read_help_contacts(db: Connection, ids: list[int]) -> dict[int, Words]:
    statement = select(help_contacts.c.id, help_contacts.c.words)
    rows = db.execute(statement.where(help_contacts.c.id.in_(ids)))
    return {row.id: _named(row.words) for row in rows}


_READERS: dict[str, Callable[[Connection, list[int]], dict[int, Words]]] = {
    "members": _read_members,
    "organisations": _read_organisations,
    "communities": _read_communities,
    "threads": _read_threads,
    "posts": _read_posts,
    "stories": _read_stories,
    # In threads without a name it is noted nowhere who looked at what: mostly the one who asked.
    "veiled": _read_posts,
    "veiled_stories": _read_stories,
    "referred": _read_referred,
    "help_contacts": _read_help_contacts,
    "programmes": _read_programmes,
    "notes": _read_notes,
}
