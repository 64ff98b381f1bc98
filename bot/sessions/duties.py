"""Tasks of a session are asked about on their day: once, and as often as she says Later."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from bot.messages import Choice, Message, _
from bot.scheduler import Counts
from bot.store import communities, sessions, tasks
from bot.store.audiences import Audience
from bot.store.tasks import Task
from bot.telling import tell
from bot.timing import MORNING, day_of, moment_of, zone

AT_ONCE = 50
AFTERNOON = 16 * 60  # of a day whose morning is over
OF_USE = timedelta(days=7)


def ask(db: Connection, now: datetime) -> Counts:
    """Those whose day has come."""
    found = tasks.take_due(db, now, AT_ONCE)
    for each in found:
        if each.member_id is not None and each.state == tasks.OPEN:
            _ask(db, now, each, each.member_id)
    return {"tasks": len(found)} if found else {}


def _ask(db: Connection, now: datetime, task: Task, member_id: int) -> None:
    session = sessions.get(db, task.session_id)
    theirs = communities.find_membership(db, member_id, session.community_id)
    inside = theirs is not None and theirs.is_active
    if not inside and sessions.find_for(db, session.id, member_id) is None:
        return  # she has left
    message = Message(
        (
            _("For today you had taken this on: {task}", task=task.ref),
            _("It comes from {session}. How is it?", session=session.ref),
        ),
        answers(task.id),
    )
    at = task.ask_at.isoformat() if task.ask_at else ""
    key = f"task/{task.id}/{at}"
    audience = Audience("member", member_id)
    tell(db, now, key, audience, message, kind="session", expires_at=now + OF_USE)


def answers(task_id: int) -> tuple[Choice, ...]:
    return (
        Choice(f"tasks.done:{task_id}", _("Done")),
        Choice(f"tasks.later:{task_id}", _("Ask me later")),
        Choice(f"tasks.drop:{task_id}", _("Not needed any more")),
    )


def put(db: Connection, task: Task, until: date, now: datetime) -> None:
    """She is asked on that morning, or later on that day if the morning is over."""
    day, where = day_of(until), zone(task.timezone)
    moments = [moment_of(day, hour, where) for hour in (MORNING, AFTERNOON)]
    at = next((each for each in moments if each > now), moment_of(day + 1, MORNING, where))
    tasks.put(db, task.id, day, at)
