"""What a reference in a text stands for at this moment, in the reader's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from sqlalchemy import Column, Connection, select

from bot.i18n import SOURCE, Own, Reader, shorten
from bot.messages import Ref, _
from bot.models.captions import captions
from bot.models.people import communities, help_contacts, members, programmes
from bot.models.records import records, tasks
from bot.models.rhythm import contents, wordings
from bot.models.safeguards import notes
from bot.models.sessions import needs, sessions, topics
from bot.models.talks import bubbles, posts, threads
from bot.store.references.beneath import COLUMNS, SHOWN, read_captions, words_of
from bot.store.references.words import HIDDEN, Words, plain, same, sentence, written_in

_FILES = {
    "voice": _("(voice note: kept, but not passed on yet)"),
    "photo": _("(photo: kept, but not passed on yet)"),
    "video": _("(video: kept, but not passed on yet)"),
    "location": _("(location: kept, but not passed on yet)"),
    "contact": _("(contact card: kept, but not passed on)"),
}
_OTHER_FILE = _("(file: kept, but not passed on yet)")
_HEAVY = _("(a heavy story)")
_FORMER = _("a former member")
_FORWARDED = _("(forwarded)")
_YOUR_GROUP = _("your group")
_A_SESSION = _("a session")


class References(Reader):
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

    def reading(self, own: Own | None) -> References:
        """The same for somebody whose programme has its own words for some sentences."""
        if not own:
            return self
        other = copy(self)
        other.own = own
        return other

    def __contains__(self, ref: object) -> bool:
        """Whether it still stands for something."""
        return isinstance(ref, Ref) and (ref.table, ref.id) in self._found

    def __call__(self, ref: Ref, language: str) -> str:
        words = self._found.get((ref.table, ref.id))
        if words is None:
            words = sentence(_FORMER if ref.table == "members" else HIDDEN)
        said = words(language, self.own)
        return said if ref.most is None else shorten(said, ref.most)


def _read_communities(db: Connection, ids: list[int]) -> dict[int, Words]:
    """Their names; whoever sees the phone learns nothing of a discreet one, not even its name."""
    statement = (
        select(communities.c.id, communities.c.discreet, wordings.c.language, wordings.c.text)
        .outerjoin(
            contents, (contents.c.community_id == communities.c.id) & (contents.c.kind == "name")
        )
        .outerjoin(wordings, wordings.c.content_id == contents.c.id)
        .where(communities.c.id.in_(ids))
    )
    names: dict[int, dict[str, str]] = defaultdict(dict)
    unnamed = set()
    for row in db.execute(statement):
        if row.text:
            names[row.id][row.language] = row.text
        if row.discreet or not row.text:
            unnamed.add(row.id)
    found: dict[int, Words] = {id_: _named(each) for id_, each in names.items()}
    return found | dict.fromkeys(unnamed, sentence(_YOUR_GROUP))


def _read_threads(db: Connection, ids: list[int]) -> dict[int, Words]:
    rows = db.execute(select(threads.c.id, threads.c.number).where(threads.c.id.in_(ids)))
    return {row.id: same(f"Q{row.number}") for row in rows}


def _read_waiting(db: Connection, ids: list[int]) -> dict[int, Words]:
    """Threads too, as long as they have no answer: what is said of others is over."""
    asked = select(threads.c.id, threads.c.number).where(
        threads.c.id.in_(ids), threads.c.state == "asked"
    )
    return {row.id: same(f"Q{row.number}") for row in db.execute(asked)}


def _read_posts(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What posts say; of a heavy one only that it is heavy, once others may see it."""
    found = _read_bubbles(db, ids)
    return {
        id_: sentence(_HEAVY) if rows[0].heavy and rows[0].state == "live" else _post(rows)
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
            *COLUMNS,
        )
        .join(bubbles, bubbles.c.post_id == posts.c.id)
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


def _post(rows: list[Any]) -> Words:
    def words(language: str, own: Own) -> str:
        typed = sorted(_in(language, rows), key=lambda row: row.kind != "text")  # then the files
        lines = [_bubble(row, language, own) for row in typed]
        source = typed[0].language  # only what was written for readers of all languages has one
        if source is not None and source != language:
            lines.insert(0, plain(written_in(source), language, own))
        if any(row.forwarded for row in rows):
            lines.insert(0, plain(_FORWARDED, language, own))
        return "\n".join(lines)

    return words


def _in(language: str, rows: list[Any]) -> list[Any]:
    """An announcement in the reader's language if it was translated, else as it was written."""
    translated = [row for row in rows if row.language == language]
    return translated or [row for row in rows if row.language == rows[0].language]


def _bubble(row: Any, language: str, own: Own) -> str:
    if row.kind == "text":
        return str(row.text)
    file = plain(_FILES.get(row.kind, _OTHER_FILE), language, own)
    return file if row.caption is None else f"{file}\n{words_of(row)(language, own)}"


def _named(names: dict[str, str]) -> Words:
    def words(language: str, _own: Own) -> str:
        return names.get(language) or names.get(SOURCE) or next(iter(names.values()))

    return words


def _read_programmes(db: Connection, ids: list[int]) -> dict[int, Words]:
    statement = select(programmes.c.id, programmes.c.names).where(programmes.c.id.in_(ids))
    return {row.id: _named(row.names) for row in db.execute(statement)}


def _words_of(column: Column[Any]) -> Callable[[Connection, list[int]], dict[int, Words]]:
    """What stands in one column, as it was written."""

    def read(db: Connection, ids: list[int]) -> dict[int, Words]:
        id_ = column.table.c.id
        rows = db.execute(select(id_, column).where(id_.in_(ids)))
        return {row[0]: same(row[1]) for row in rows if row[1]}

    return read


def _read_help_contacts(db: Connection, ids: list[int]) -> dict[int, Words]:
    statement = select(help_contacts.c.id, help_contacts.c.words)
    rows = db.execute(statement.where(help_contacts.c.id.in_(ids)))
    return {row.id: _named(row.words) for row in rows}


def _read_contents(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What is written for members, in the reader's language; else in its own, marked as such."""
    statement = (
        select(
            contents.c.id,
            contents.c.language,
            wordings.c.language.label("code"),
            wordings.c.text,
        )
        .join(wordings, wordings.c.content_id == contents.c.id)
        .where(contents.c.id.in_(ids))
    )
    found: dict[int, dict[str, str]] = defaultdict(dict)
    sources = {}
    for row in db.execute(statement):
        found[row.id][row.code] = row.text
        sources[row.id] = row.language
    return {id_: _worded(texts, sources[id_]) for id_, texts in found.items()}


def _worded(texts: dict[str, str], source: str) -> Words:
    def words(language: str, own: Own) -> str:
        if language in texts:
            return texts[language]
        return f"{plain(written_in(source), language, own)}\n{texts.get(source, '')}"

    return words


def _read_sessions(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What a session is called; in a discreet community that it is one, and no more."""
    statement = (
        select(sessions.c.id, sessions.c.title, communities.c.discreet)
        .join(communities, communities.c.id == sessions.c.community_id)
        .where(sessions.c.id.in_(ids))
    )
    return {
        row.id: sentence(_A_SESSION) if row.discreet else same(row.title)
        for row in db.execute(statement)
        if row.title or row.discreet
    }


def _read_topics(db: Connection, ids: list[int]) -> dict[int, Words]:
    """What somebody offers or would like to learn, as long as she does."""
    open_ones = topics.c.id.in_(ids) & (topics.c.state != "closed")
    rows = db.execute(select(topics.c.id, topics.c.text).where(open_ones))
    return {row.id: same(row.text) for row in rows}


def _read_records(db: Connection, ids: list[int]) -> dict[int, Words]:
    """Notes that were not sent yet."""
    rows = db.execute(
        select(records.c.id, records.c.file, records.c.text).where(records.c.id.in_(ids))
    )
    return {
        row.id: same(row.text)
        if row.file == "text"
        else sentence(_FILES.get(row.file, _OTHER_FILE))
        for row in rows
    }


_READERS: dict[str, Callable[[Connection, list[int]], dict[int, Words]]] = {
    "members": _words_of(members.c.name),
    "organisations": _words_of(members.c.organisation),
    "captions": read_captions,
    "communities": _read_communities,
    "contents": _read_contents,
    "sessions": _read_sessions,
    "titles": _words_of(sessions.c.title),  # for whoever asked to see it, like what follows
    "places": _words_of(sessions.c.place),
    "visited": _words_of(sessions.c.organisation),
    "packings": _words_of(sessions.c.packing),
    "needs": _words_of(needs.c.text),
    "reasons": _words_of(sessions.c.reason),
    "topics": _read_topics,
    "records": _read_records,
    "tasks": _words_of(tasks.c.text),
    "threads": _read_threads,
    "waiting": _read_waiting,
    "posts": _read_posts,
    "stories": _read_stories,
    # In threads without a name it is noted nowhere who looked at what: mostly the one who asked.
    "veiled": _read_posts,
    "veiled_stories": _read_stories,
    "referred": _read_referred,
    "help_contacts": _read_help_contacts,
    "programmes": _read_programmes,
    "notes": _words_of(notes.c.text),  # on a report: for a focal point, or who has the receipt
}
