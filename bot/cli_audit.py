"""What `linkline audit` says: one line for each act of somebody with a role; numbers, no names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.store import audit

HEAD = "when (UTC)\twho\twhat\twhere\twhom"


def lines(db: Connection, now: datetime, days: int, community: str | None = None) -> Iterator[str]:
    """Tab-separated, oldest first; a member is her number in this store, as in no other place."""
    yield HEAD
    for each in audit.list_lines(db, now - timedelta(days=days), community):
        who = "operator or clock" if each.actor_id is None else f"member {each.actor_id}"
        whom = "" if each.subject_id is None else str(each.subject_id)
        at = f"{each.at:%Y-%m-%d %H:%M}"
        yield "\t".join((at, who, each.action, each.community or "", whom))
