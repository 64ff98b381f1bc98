"""Following up questions: the jobs, and who was asked personally and has nothing to say."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import followups
from bot.conversation import Conversation
from bot.messages import _
from bot.scheduler import Counts, Progress, job
from bot.turn import Turn

followups_ = Conversation("followups")


@job(every=timedelta(minutes=15))
def ask_on(db: Connection, now: datetime) -> Counts | Progress:
    """No answer after one working day, and after two."""
    return followups.ask_on(db, now)


@job(every=timedelta(hours=1))
def ask_back(db: Connection, now: datetime) -> Counts | Progress:
    """Two weeks after an answer helped."""
    return followups.ask_back(db, now)


@followups_.action
def leave(turn: Turn) -> None:
    """[Not this time] is noted nowhere, and nobody hears of it."""
    turn.say(_("All right. Thank you for looking."))
