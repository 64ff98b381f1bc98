"""The sessions of a transcript that are planned before it begins; nobody was invited yet."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.rehearsal.transcripts import Transcript
from bot.store import communities, members, sessions

_AHEAD = re.compile(r"in (\d+) (minute|hour|day)s?")
_SEATS = re.compile(r"(\d+) seats?")
_HELD = re.compile(r"held by (.+)")
_AT = re.compile(r"at (.+)")


def save(db: Connection, transcript: Transcript, now: datetime) -> None:
    for slug, words in transcript.sessions:
        community = communities.find(db, slug)
        if community is None:
            raise ValueError(f"there is no community for the session: {slug}")
        title, *rules = (each.strip() for each in words.split(";"))
        values: dict[str, Any] = {"starts_at": now + timedelta(days=1)}
        for rule in rules:
            values |= _rule(db, community.id, rule, now)
        sessions.add(
            db, now, community_id=community.id, title=title, timezone=community.timezone, **values
        )


def _rule(db: Connection, community_id: int, rule: str, now: datetime) -> dict[str, Any]:
    if found := _AHEAD.fullmatch(rule):
        return {"starts_at": now + timedelta(**{f"{found[2]}s": int(found[1])})}
    if found := _SEATS.fullmatch(rule):
        return {"seats": int(found[1])}
    if found := _HELD.fullmatch(rule):
        [host_id] = members.find_by_name(db, community_id, found[1])
        return {"host_id": host_id}
    if found := _AT.fullmatch(rule):
        return {"place": found[1]}
    raise ValueError(f"this says nothing of a session: {rule}")
