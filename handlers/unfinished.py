"""Unfinished talks: she is offered once to go on where she was."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import unfinished
from bot.conversation import Conversation
from bot.messages import _
from bot.scheduler import Counts, Progress, job
from bot.store import posts
from bot.turn import Turn

unfinished_ = Conversation("unfinished")

OVER = _("Nothing is under way any more. Write MENU to see what you can do.")


@job(every=timedelta(minutes=15))
def offer(db: Connection, now: datetime) -> Counts | Progress:
    """After a working day."""
    return unfinished.offer(db, now)


@unfinished_.action
def go_on(turn: Turn) -> None:
    """The question that waits is asked again after this."""
    if turn.talk is None:
        return turn.say(OVER)
    turn.say(_("Here you were:"))


@unfinished_.action
def drop(turn: Turn) -> None:
    """What she began is gone, like with CANCEL."""
    if turn.talk is None:
        return turn.say(OVER)
    if turn.talk.question_id != turn.argument:  # another one than was offered
        return turn.say(_("You have gone on meanwhile. Write CANCEL to end what is under way."))
    turn.answer(turn.talk)
    post_id = turn.data.get("post")
    if isinstance(post_id, int) and posts.is_draft_of(turn.db, post_id, turn.member.id):
        posts.remove(turn.db, post_id)
    turn.say(_("All right, nothing was sent."))
