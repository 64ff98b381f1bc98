"""What a reference in a text stands for at this moment, in the reader's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from sqlalchemy import Column, Connection, select

from bot.i18n import SOURCE, Own, Reader, shorten
from bot.messages import Ref, _
from bot.models.people import communities, help_contacts, members, programmes
from bot.models.records import tasks
from bot.models.rhythm import contents, wordings
from bot.models.sessions import needs, sessions, topics
from bot.models.talks import threads
from bot.store.references.beneath import read_captions
from bot.store.references.bubbles import (
    Medium,
    Shown,
    read_leaves,
    read_notes,
    read_posts,
    read_records,
    read_referred,
    read_stories,
)
from bot.store.references.words import HIDDEN, Words, plain, same, sentence, written_in

_FORMER = _("a former member")
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

    def media(self, ref: Ref, language: str) -> tuple[Medium, ...]:
        """What goes along with a post that is shown in full."""
        words = self._found.get((ref.table, ref.id))
        whole = isinstance(words, Shown) and ref.most is None
        return words.media(language) if isinstance(words, Shown) and whole else ()


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
    "records": read_records,
    "tasks": _words_of(tasks.c.text),
    "threads": _read_threads,
    "waiting": _read_waiting,
    "posts": read_posts,
    "previews": read_stories,  # what she is about to send: its recordings are not played
    "leaves": read_leaves,
    "stories": read_stories,
    # In threads without a name it is noted nowhere who looked at what: mostly the one who asked.
    "veiled": read_posts,
    "veiled_stories": read_stories,
    "referred": read_referred,
    "help_contacts": _read_help_contacts,
    "programmes": _read_programmes,
    "notes": read_notes,
}
