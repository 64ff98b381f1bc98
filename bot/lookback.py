"""Looking back: a month later a reflection comes back to whoever said it, once, to nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from bot.messages import Choice, Message, Ref, _
from bot.scheduler import Counts, Progress, attempt
from bot.store import followups, reflections
from bot.store.audiences import Audience
from bot.store.reflections import Due
from bot.telling import tell
from bot.timing import morning_after, zone

BATCH = 50  # in one transaction
AGAIN = timedelta(days=1)  # what failed is tried again
OF_USE = timedelta(days=7)  # then whoever could not be told is not told any more


def bring_back(db: Connection, now: datetime) -> Counts | Progress:
    found = reflections.list_due(db, now, 1)
    if not found:
        return {}
    [due] = found
    done = attempt(db, partial(_bring, db, now, due))
    if done is None:
        reflections.mark(db, due.id, look_back_at=now + AGAIN)
    return Progress({done or "failed": 1}, then=bring_back)


def _bring(db: Connection, now: datetime, due: Due) -> str:
    """Told if she wants it, and her app has known it; else it is over without a word."""
    reflections.mark(db, due.id, look_back_at=None)
    if due.author_id is None or not due.wanted:
        return "unwanted"
    if not followups.knows(db, due.author_id, due.created_at):
        return "unknown"
    reflections.put_off(db, due.author_id, now, morning_after(now, zone(due.timezone), 1))
    tell(
        db,
        now,
        f"look_back/{due.id}/{due.post_id}",
        Audience("member", due.author_id),
        _closed(due) if due.has_secret else _open(due),
        expires_at=now + OF_USE,
        wide=True,  # counted with what comes unasked
    )
    return "brought_back"


def _open(due: Due) -> Message:
    said = _("A month ago you said: {post}", post=Ref("referred", due.post_id))
    return Message((said, _("How is it now?")), still_true(due.id))


def _closed(due: Due) -> Message:
    """Her words stand behind her secret word."""
    said = _("A month ago you kept a reflection. Would you like to look at it again?")
    return Message((said,), (Choice(f"lookback.show:{due.id}", _("Look at it")),))


def still_true(reflection_id: int) -> tuple[Choice, ...]:
    return (
        Choice(f"lookback.true:{reflection_id}", _("Still true")),
        Choice(f"lookback.changed:{reflection_id}", _("It has changed")),
        Choice(f"lookback.over:{reflection_id}", _("Not true any more")),
    )
