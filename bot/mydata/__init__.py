"""My data: a file of everything that is kept about one member, in her language, for her alone.

It is made at the moment it is handed over, and kept nowhere.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import docx
from sqlalchemy import Connection

from bot import clock
from bot.db import Database
from bot.i18n import SOURCE, own_name, render
from bot.messages import Text, _, _n
from bot.mydata import (
    labels,
    mycaptions,
    myproposals,
    myreflections,
    mysessions,
    mystories,
    promises,
)
from bot.pace import RHYTHMS
from bot.store import captioned, holdings, partaking, programmes, proposed, reflections, told
from bot.store.captioned import Captioned
from bot.store.holdings import About, Written
from bot.store.partaking import Partaking
from bot.store.programmes import Retention
from bot.store.proposed import Proposed
from bot.store.reflections import Reflection
from bot.store.told import Told
from bot.timing import shown

T = TypeVar("T")
Page = Callable[[Connection, int], tuple[list[T], int | None]]

TABLE = "my_data"  # of the reference that a message has in place of the file
FILE_NAME = "my-data.docx"  # WhatsApp takes 20 characters
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
KINDS = labels.KINDS | myproposals.KINDS | mystories.KINDS


@dataclass(frozen=True, slots=True)
class Holdings:
    """All of it, read page by page."""

    about: About
    written: list[Written]
    partaking: Partaking
    proposed: Proposed
    captioned: Captioned
    reflected: list[Reflection]
    told: Told
    opinions: list[tuple[bool, str]]
    reported: list[datetime]
    raw: list[tuple[datetime, str]]
    retention: Retention


async def make(database: Database, address_id: int) -> bytes | None:
    """The file for whoever has this address; None if nobody has it. Raises StoreDown."""
    found = await _read(database, address_id)
    if found is None:
        return None
    return await asyncio.to_thread(lambda: _Paper(found).write())


async def _read(database: Database, address_id: int) -> Holdings | None:
    about = await database.run(lambda db: holdings.find(db, address_id))
    if about is None:
        return None
    id_, chats = about.member.id, [each.id for each in about.addresses]
    linked = await _pages(database, lambda db, after: holdings.list_linked(db, id_, after))
    written = await _pages(database, lambda db, after: holdings.list_written(db, id_, after))
    unnamed = await _pages(
        database, lambda db, after: holdings.list_written(db, id_, after, linked)
    )
    return Holdings(
        about,
        sorted([*written, *unnamed], key=lambda each: each.at),
        await database.run(lambda db: partaking.find(db, id_)),
        await database.run(lambda db: proposed.find(db, id_)),
        await database.run(lambda db: captioned.find(db, id_, linked)),
        await database.run(lambda db: reflections.list_marked(db, id_)),
        await database.run(lambda db: told.find(db, id_)),
        await database.run(lambda db: holdings.list_opinions(db, id_)),
        await _pages(database, lambda db, after: holdings.list_reported(db, id_, after)),
        await _pages(database, lambda db, after: holdings.list_raw(db, chats, after)),
        await database.run(programmes.get_retention),
    )


async def _pages(database: Database, page: Page[T]) -> list[T]:
    """All pages, each in a transaction of its own, so that nobody waits for a long life."""
    found: list[T] = []
    after: int | None = 0
    while after is not None:
        start = after
        some, after = await database.run(lambda db, start=start: page(db, start))  # type: ignore[misc]
        found += some
    return found


@dataclass
class _Paper:
    """Headings, and below each of them short lines: it is read on a small phone."""

    found: Holdings
    document: Any = field(default_factory=docx.Document)

    def __post_init__(self) -> None:
        member = self.found.about.member
        self.language = member.language or SOURCE
        self.timezone = member.timezone or "UTC"

    def write(self) -> bytes:
        for part in (
            self._head, self._member, self._apps, self._groups, self._written, self._sessions,
            self._follows, self._opinions, self._heard, self._reported, self._raw, self._kept,
            self._readers,
        ):  # fmt: skip
            part()
        about = self.document.core_properties
        about.author, about.comments, about.title = "", "", self._say(_("My data"))
        file = io.BytesIO()
        self.document.save(file)
        return file.getvalue()

    # What it is made of

    def _say(self, text: Text) -> str:
        return render(text, self.language, lambda _ref, _language: "", self.timezone)

    def _heading(self, text: Text, level: int = 1) -> None:
        self.document.add_heading(self._say(text), level)

    def _line(self, text: Text, words: str | None = None) -> None:
        """A sentence, or what something is called and her own words for it; only ever as text."""
        said = self._say(text)
        plain = said if words is None else f"{said}: {words}"
        self.document.add_paragraph(_NOT_IN_XML.sub("", plain))

    def _fact(self, text: Text, value: Text | str | None) -> None:
        if value is not None:
            self._line(text, value if isinstance(value, str) else self._say(value))

    def _at(self, text: Text, at: datetime | None) -> None:
        self._fact(text, None if at is None else _("{at}", at=at))

    # The parts

    def _head(self) -> None:
        self._heading(_("My data"), 0)
        self._line(_("Everything that Linkline keeps about you, on {at}.", at=clock.now()))
        self._line(
            _(
                "Please be careful with this file: it holds your number and what you wrote, also "
                "what you asked without your name. Delete it when you do not need it any more."
            )
        )

    def _member(self) -> None:
        member = self.found.about.member
        self._heading(_("About you"))
        self._fact(_("Name"), member.name)
        self._fact(_("Organisation"), member.organisation)
        self._fact(_("Language"), own_name(self.language))
        self._fact(_("Time zone"), member.timezone)
        self._at(_("Here since"), member.created_at)
        if member.consent_at is not None:
            self._at(_("You agreed"), member.consent_at)
            self._fact(_("to the text of"), member.consent_version)
            self._fact(_("in this language"), own_name(member.consent_language or SOURCE))
        self._settings(member)

    def _settings(self, member: Any) -> None:
        if member.state == "stopped":
            self._line(_("You have stopped all messages."))
        self._at(_("Paused until"), member.paused_until)
        if member.quiet_from is not None and member.quiet_until is not None:
            self._fact(_("Quiet hours"), shown((member.quiet_from, member.quiet_until)))
        self._fact(_("Weekly"), RHYTHMS.get(member.rhythm))
        if member.discreet:
            self._line(_("Messages stay closed until you open them."))
        if member.secret is not None:
            self._line(_("You have a secret word; the word itself is not kept."))

    def _apps(self) -> None:
        self._heading(_("Your apps"))
        for each in self.found.about.addresses:
            channel = each.lane.partition("/")[0]
            self._line(
                _("{app}", app=labels.APPS.get(channel, channel)),
                each.sealed.removeprefix("whatsapp:"),
            )
            self._at(_("Known since"), each.created_at)
            self._at(_("Linked"), each.linked_at)
            self._at(_("You last wrote there"), each.last_inbound_at)

    def _groups(self) -> None:
        self._heading(_("Your groups"))
        for each in self.found.about.groups:
            names = self.found.about.names.get(each.community_id, {})
            name = names.get(self.language) or names.get(SOURCE) or ""
            self._line(labels.ROLES.get(each.role, labels.ROLES["member"]), name)
            self._at(_("Since"), each.created_at)
            self._fact(_("State"), labels.STATES.get(each.state))
            self._fact(_("How much"), labels.PACES.get(each.pace))
        self._none(self.found.about.groups)

    def _none(self, of: Any) -> None:
        if not of:
            self._line(_("Nothing."))

    def _written(self) -> None:
        self._heading(_("What you wrote to your groups"))
        for each in self.found.written:
            kind = KINDS.get(each.kind, KINDS["answer"])
            head = _("{at}, {kind}", at=each.at, kind=kind)
            if each.thread is not None:
                head = _("{at}, Q{number}, {kind}", at=each.at, number=each.thread, kind=kind)
            words = self._say(labels.FILES.get(each.file, labels.FILE)) if each.file else each.text
            self._line(head, words)
            if each.unnamed:
                self._line(_("This is without your name; only a sealed note knows it is yours."))
            if each.state in labels.KEPT:
                self._line(labels.KEPT[each.state])
            if each.of_few:
                self._line(_("only facilitators see it"))
        self._none(self.found.written)

    def _follows(self) -> None:
        self._heading(_("What you follow"))
        numbers = ", ".join(f"Q{number}" for number in self.found.about.follows)
        self.document.add_paragraph(numbers or self._say(_("Nothing.")))

    def _sessions(self) -> None:
        found = self.found
        for heading, facts in (
            *mysessions.parts(found.partaking),
            *myproposals.parts(found.proposed),
            *mystories.parts(found.told),
            *mycaptions.parts(found.captioned),
            *myreflections.parts(found.reflected, looks_back=found.about.member.looks_back),
        ):
            self._heading(heading)
            for text, words in facts:
                self._line(text, words)

    def _opinions(self) -> None:
        if self.found.opinions:
            self._heading(_("What you thought of tips"))
            for useful, words in self.found.opinions:
                self._line(_("Useful") if useful else _("Not for me"), words)

    def _heard(self) -> None:
        self._heading(_("What was sent to you"))
        count = self.found.about.heard["count"]
        self._line(_n("{n} message.", "{n} messages.", n=count))
        self._at(_("The first"), self.found.about.heard["first"])
        self._at(_("The last"), self.found.about.heard["last"])

    def _reported(self) -> None:
        if self.found.reported:
            self._heading(_("What you reported"))
            for at in self.found.reported:
                self._line(_("{at}", at=at))
            self._line(_("The focal points keep your words; they alone may read them."))

    def _raw(self) -> None:
        self._heading(_("What came from you lately, as it came"))
        for at, words in self.found.raw:
            self._line(_("{at}", at=at), words or "-")
        self._none(self.found.raw)

    def _kept(self) -> None:
        self._heading(_("How long it is kept"))
        for text in promises.kept(self.found.retention):
            self._line(text)

    def _readers(self) -> None:
        self._heading(_("Who may read it"))
        for text in promises.readers():
            self._line(text)
