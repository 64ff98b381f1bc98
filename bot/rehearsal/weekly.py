"""The weekly rhythm of a transcript: as a community has it from its first Monday on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot import ahead, library
from bot.i18n import SOURCE
from bot.rehearsal import transcripts
from bot.rehearsal.transcripts import Transcript
from bot.store import communities, contents
from bot.store.schedules import Schedule
from bot.timing import day_of

MONDAYS_AT, FRIDAYS_AT = 11 * 60, 15 * 60  # minutes after midnight: an hour after it begins


def save(db: Connection, transcript: Transcript, now: datetime) -> None:
    """Each question on Mondays, those of the library with a tip; on Fridays what peers said."""
    if transcripts.LIBRARY in transcript.weekly.values():
        library.load(db, now)
    for slug, question in transcript.weekly.items():
        community = communities.find(db, slug)
        if community is None:
            continue
        kinds = {"prompt": (0, MONDAYS_AT), "digest": (4, FRIDAYS_AT)}
        if question == transcripts.LIBRARY:
            kinds = {"tip": (0, MONDAYS_AT)} | kinds
        else:
            key = f"community/{community.id}/prompt/weekly"
            contents.save(db, key, "prompt", SOURCE, question, now, community_id=community.id)
        first = day_of(now.date())
        for kind, (weekday, minutes) in kinds.items():
            wanted = Schedule(community.id, kind, weekday, minutes, first)
            ahead.look_ahead(db, ahead.save(db, wanted, now), first)
