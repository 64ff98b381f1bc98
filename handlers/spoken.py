"""Spoken reports: what is held comes into its report; who sent it hears what did not arrive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot import reporting
from bot.envelopes import opens
from bot.store import envelopes, reports


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
        more = {"kind": reporting.READERS, "report": content["report"], "what": "more"}
        envelopes.add(db, more, now)
    if "failed" in became:
        # Later, and only by chance: at this moment those who read it may be told.
        lost = {"kind": reporting.SENDER, "member": content["member"], "report": content["report"]}
        envelopes.add(db, lost, now + reports.delay())
