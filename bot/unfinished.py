"""Unfinished talks: after a working day she is offered once to go on; then they expire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from bot.messages import Choice, Message, Text, _
from bot.scheduler import Counts, Progress
from bot.store import followups, threads, unfinished
from bot.store.audiences import Audience
from bot.store.retention import TALK_LASTS
from bot.store.unfinished import Unfinished
from bot.talk import Talk
from bot.telling import tell
from bot.timing import zone
from bot.workdays import DAY, has_passed, is_open

LOOKED_AT = 100  # talks in one transaction
OFFERS = 20  # of them that are offered

# What she had begun, for the first word of a step. What is not here is never offered.
BEGUN: dict[str, Text] = {
    "ask": _("You had begun a question, and it was not sent. Would you like to go on?"),
    "writing": _("You had begun to write something. Would you like to go on?"),
    "answers": _("You had begun an answer, and it was not sent. Would you like to go on?"),
    "responses": _("You had begun an answer, and it was not sent. Would you like to go on?"),
    "announce": _("You had begun an announcement, and it was not sent. Would you like to go on?"),
    "session": _("You had begun to plan a session. Would you like to go on?"),
    "place": _("You had begun to plan a session. Would you like to go on?"),
    "details": _("You had begun to plan a session. Would you like to go on?"),
    "outcomes": _("You had begun to say what came of a question. Would you like to go on?"),
}
SOMETHING = _("You had begun something here. Would you like to go on?")
# Nothing leads to these, not even the word that something was begun.
NEVER = ("report", "receipts", "concerns", "secret", "doubt", "nameless", "vouch")


def offer(db: Connection, now: datetime) -> Counts | Progress:
    """Talks that stand still for a working day."""
    return _offer(0, db, now)


def _offer(after: int, db: Connection, now: datetime) -> Counts | Progress:
    still = now + TALK_LASTS - DAY
    found = unfinished.list_still(db, now, still, now, after, LOOKED_AT)
    every = followups.list_holidays(db) if found else {}
    offered = 0
    for each in found:
        where = zone(each.timezone)
        free = followups.resting(every, each.programme_id or 0, each.timezone or "")
        since = each.expires_at - TALK_LASTS
        if not is_open(now, where, free) or not has_passed(since, now, DAY, where, free):
            continue
        # Marked whatever it is about: that a talk was passed over would tell that it is private.
        if unfinished.mark(db, each, now):
            offered += _tell(db, now, each)
        if offered == OFFERS:
            return Progress({"offers": offered}, then=partial(_offer, each.address_id))
    counts = {"offers": offered} if offered else {}
    if len(found) < LOOKED_AT:
        return counts
    return Progress(counts, then=partial(_offer, found[-1].address_id))


def _tell(db: Connection, now: datetime, talk: Unfinished) -> int:
    """How many were offered: one, or none."""
    waits = Talk.from_json(talk.state)
    names = [each.step.partition(".")[0] for each in _talks(waits)]
    begun = BEGUN.get(names[0])
    if begun is None or any(each in NEVER for each in names):
        return 0
    if any(_is_private(each) or _is_nameless(db, each) for each in _talks(waits)):
        return 0
    message = Message(
        (SOMETHING if talk.discreet else begun,),
        (
            Choice("unfinished.go_on", _("Go on")),
            Choice(f"unfinished.drop:{waits.question_id or 0}", _("Leave it")),
        ),
    )
    key = f"unfinished/{talk.address_id}/{talk.expires_at.isoformat()}"
    audience = Audience("member", talk.member_id)
    return int(tell(db, now, key, audience, message, expires_at=talk.expires_at) is not None)


def _is_private(talk: Talk) -> bool:
    """Without her name, or a heavy story: so handlers/ask.py and answers.py note it."""
    return talk.data.get("way") == "nameless" or bool(talk.data.get("heavy"))


def _is_nameless(db: Connection, talk: Talk) -> bool:
    """Of a question without a name only who asked tells what came: it would come to her alone."""
    told = talk.data.get("thread") if talk.step.startswith("outcomes.") else None
    return told is not None and threads.get(db, told).anonymous


def _talks(talk: Talk | None) -> Iterator[Talk]:
    """The talks that wait, the latest first."""
    while talk is not None:
        yield talk
        talk = talk.beneath
