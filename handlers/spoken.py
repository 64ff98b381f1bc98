"""Spoken reports: what is held comes into its report; who sent it hears what did not arrive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot import reporting
from bot.envelopes import opens
from bot.messages import Message, _
from bot.store import envelopes, reports
from bot.store.audiences import Audience
from bot.telling import tell


@opens(reporting.HELD)
def take_in(db: Connection, now: datetime, id_: str, content: Mapping[str, Any]) -> None:
    """As long as there is such a report."""
    if reports.find(db, content["report"]) is not None:
        reporting.take_in(db, content, now)


@opens(reporting.FETCHED)
def look(db: Connection, now: datetime, id_: str, content: Mapping[str, Any]) -> None:
    """Who reads it hears of what came late, and who sent it of what will not come."""
    became = reporting.what_became(db, content, now)
    if "late" in became:
        envelopes.add(db, {"kind": "report", "report": content["report"], "what": "more"}, now)
    if "failed" in became:
        _tell_sender(db, now, id_, content)


def _tell_sender(db: Connection, now: datetime, id_: str, content: Mapping[str, Any]) -> None:
    """Neither what it was nor where it went; with her code she reads which it is."""
    about = _("Something new is there for you.")
    found = reports.find(db, content["report"])
    if found is not None and found.reporter_id == content["member"] and found.tells:
        about = _("Something you sent did not arrive. With your code you can send it again.")
    tell(db, now, f"something_new/{id_}", Audience("member", content["member"]), Message((about,)))
