"""Calendar files of sessions: one appointment, whose later versions take its place.

In a discreet community, and on a discreet phone, it is an appointment and no more: calendars show
on locked screens, and travel to other machines. No file names anybody.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from icalendar import Calendar, Event
from sqlalchemy import Connection

from bot import clock
from bot.db import Database
from bot.i18n import SOURCE, Reader, languages, render
from bot.messages import Ref, Text, _
from bot.store import appointments, communities, sessions
from bot.store.appointments import TABLE as TABLE
from bot.store.sessions import CANCELLED, Session
from bot.timing import zone

LINK_LASTS = timedelta(days=1)  # after the end of a session
FILE_NAME = "calendar.ics"
MEDIA_TYPE = "text/calendar; charset=utf-8"
_MAKER = "-//Calendar//Calendar//EN"  # who made it says nothing either
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_APPOINTMENT = _("Appointment")


def write(session: Session, now: datetime, language: str, *, discreet: bool) -> bytes:
    """The file as RFC 5545 has it: the same UID for ever, a SEQUENCE that rises."""
    cancelled = session.state == CANCELLED
    found = Calendar()
    found.add("prodid", _MAKER)
    found.add("version", "2.0")
    found.add("calscale", "GREGORIAN")
    found.add("method", "CANCEL" if cancelled else "PUBLISH")
    found.add_component(_event(session, now, language, discreet))
    years = session.starts_at.year
    found.add_missing_timezones(date(years - 1, 1, 1), date(years + 2, 1, 1))
    return bytes(found.to_ical())


def _event(session: Session, now: datetime, language: str, discreet: bool) -> Event:
    here = zone(session.timezone)
    event = Event()
    event.add("uid", session.uid)
    event.add("dtstamp", now)
    event.add("sequence", session.sequence)
    event.add("dtstart", session.starts_at.astimezone(here))
    event.add("dtend", session.ends_at.astimezone(here))
    event.add("status", "CANCELLED" if session.state == CANCELLED else "CONFIRMED")
    event.add("class", "PRIVATE")
    words = _words(session, language, discreet)
    for name, value in words.items():
        event.add(name, value)
    return event


def _words(session: Session, language: str, discreet: bool) -> dict[str, Any]:
    if discreet:
        return {"summary": plain(_APPOINTMENT, language)}
    words = {"summary": _text(session.title) or plain(_APPOINTMENT, language)}
    if session.place:
        words["location"] = _text(session.place)
    return words


def _text(typed: str) -> str:
    """Without signs at which some programs begin a new line, and so another property."""
    return _CONTROL.sub("", "\n".join(typed.splitlines()))


class _Nothing(Reader):
    """Of words that refer to nothing."""

    def __call__(self, ref: Ref, language: str) -> str:
        return ""


def plain(text: Text, language: str) -> str:
    """What is said outside the chats, where nothing is looked up."""
    return render(text, language, _Nothing())


async def make(database: Database, address_id: int, session_id: int) -> bytes | None:
    """The file for whoever has this address; None if the session is not for her.

    Raises StoreDown.
    """
    return await database.run(lambda db: find_made(db, address_id, session_id))


def find_made(db: Connection, address_id: int, session_id: int) -> bytes | None:
    """The same within a transaction."""
    reader = appointments.find_reader(db, address_id)
    session = None if reader is None else sessions.find_for(db, session_id, reader.member_id)
    if reader is None or session is None:
        return None
    discreet = reader.discreet or appointments.is_discreet(db, session_id)
    return write(session, clock.now(), reader.language, discreet=discreet)


def find(db: Connection, uid: str, language: str | None, *, bare: bool) -> bytes | None:
    """The file behind a link; whoever holds the link is nobody we know.

    A link is passed on, and may be found later: it ends soon after the session, and with its group.
    """
    session, now = sessions.find_uid(db, uid), clock.now()
    if session is None or session.ends_at + LINK_LASTS <= now:
        return None
    if communities.has_ended(db, session.community_id):
        return None
    discreet = bare or appointments.is_discreet(db, session.id)
    code = language if language in languages() else None
    return write(session, now, code or SOURCE, discreet=discreet)


def link(public_url: str | None, session: Session, language: str, *, discreet: bool) -> str | None:
    """Where the web has the file; None where the web does not find us."""
    if public_url is None:
        return None
    asked = {"in": language} | ({"plain": "1"} if discreet else {})
    return f"{public_url}/calendar/{session.uid}.ics?{urlencode(asked)}"
