"""Nudging: what waits for a closed window is looked after, minute by minute.

Whoever wrote just as something was held gets it; another app of hers that can be written to gets
it; whoever has neither is told by a template that something waits. What nobody came for in time
is given up, and the one who asked hears how many did not get it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot import windows
from bot.i18n import SOURCE
from bot.messages import Limits, Message, Ref, Text, _n
from bot.returning import another_day
from bot.scheduler import Counts, Job, Progress
from bot.store import addresses, expiry, messages, moves, nudges, templates, waiting
from bot.store.audiences import Audience
from bot.store.expiry import Unsaid
from bot.store.waiting import Group
from bot.telling import tell
from bot.timing import quiet_until, zone
from bot.windows import FEW, NUDGE

BATCH = 100  # in one transaction
DAY = timedelta(days=1)
SILENT = timedelta(minutes=5)  # then she is in the middle of nothing any more
# After so many days what was held is of no use any more; a session's until it began, if it says so.
USEFUL = {
    "thread": 30,
    "broadcast": 30,
    "session": 30,
    "direct": 7,
    "digest": 30,
    "safety": 90,
    "alert": 90,
}


def jobs(limits: Mapping[str, Limits], daily: int) -> list[Job]:
    """The jobs for the lanes that have a window; `daily`: see WHATSAPP_DAILY_LIMIT."""
    lengths = windows.lengths(limits)
    return [
        Job("nudging.catch_up", timedelta(minutes=1), partial(_catch_up, lengths)),
        Job("nudging.nudge", timedelta(minutes=1), partial(_nudge, lengths, daily)),
        Job("nudging.give_up", timedelta(hours=1), _give_up),
    ]


# Who has written, and has another app ------------------------------------------------------------


def _catch_up(lengths: Mapping[str, timedelta], db: Connection, now: datetime) -> Counts | Progress:
    opened = {lane: now - length for lane, length in lengths.items()}
    stranded = moves.list_stranded(db, opened, addresses.STAYS, BATCH)
    for delivery_id, address_id in stranded:
        other = addresses.find(db, address_id)
        if other is not None:
            addresses.move(db, [delivery_id], other, now, since=None)
    missed = waiting.list_missed(db, opened, now - SILENT, now, BATCH)
    come = sum(_come(db, each, now) for each in missed)
    counts = {"elsewhere": len(stranded), "missed": come}
    again = len(stranded) == BATCH or (len(missed) == BATCH and come == BATCH)
    return Progress(counts, then=partial(_catch_up, lengths)) if again else counts


def _come(db: Connection, row: Any, now: datetime) -> bool:
    """What waited for one comes, or she is asked; not at night."""
    where, hours = windows.nudged_in(row.timezone, row.quiet_from, row.quiet_until)
    found = waiting.list_of(db, row.id, now)
    if len(found) <= FEW or row.discreet or row.state != "active":
        waiting.put_off(db, row.id, None)
        return waiting.release(db, row.id, now) > 0
    if quiet_until(now, zone(where), hours) is not None:
        return False
    waiting.put_off(db, row.id, another_day(now, row.timezone))
    said = (f"offer/{row.id}/{now.isoformat()}", windows.offer(len(found)), now)
    messages.say(db, [said], (row.id, row.member_id, row.lane), now)
    return True


# Who is told -------------------------------------------------------------------------------------


def _nudge(
    lengths: Mapping[str, timedelta], daily: int, db: Connection, now: datetime
) -> Counts | Progress:
    """Lane by lane, each as far as its provider allows in a day."""
    told, more = 0, False
    for lane, length in lengths.items():
        room = BATCH
        groups = waiting.list_groups(db, lane, now - length, now)
        awake = _awake(_with_template(db, lane, groups), now)
        if awake and daily:
            room = min(room, daily - nudges.count_since(db, lane, now - DAY))
        if not awake or room <= 0:
            continue
        due = waiting.list_due(db, lane, now - length, awake, now, room)
        for each in due:
            number = each.nudges + 1
            told += nudges.add(db, lane, each.address_id, each.member_id, number, now)
        more = more or len(due) == BATCH
    counts = {"told": told}
    return Progress(counts, then=partial(_nudge, lengths, daily)) if more else counts


def _with_template(db: Connection, lane: str, groups: list[Group]) -> list[Group]:
    """Those in whose language something may be said; of the others it is noted why not."""
    languages = {each[3] for each in groups}
    mute = {
        each
        for each in languages
        if templates.find_approved(db, lane, NUDGE, each or SOURCE) is None
    }
    if mute:
        nudges.note_no_template(db, lane, sorted(mute, key=str))
    return [each for each in groups if each[3] not in mute]


def _awake(groups: list[Group], now: datetime) -> list[Group]:
    found = []
    for each in groups:
        where, hours = windows.nudged_in(*each[:3])
        if quiet_until(now, zone(where), hours) is None:
            found.append(each)
    return found


# What nobody came for ----------------------------------------------------------------------------


def _give_up(db: Connection, now: datetime) -> Counts | Progress:
    """Message by message; who asked hears it once."""
    before = {kind: now - timedelta(days=days) for kind, days in USEFUL.items()}
    found = expiry.list_overdue(db, before, now, BATCH)
    dropped = 0
    for message_id in found:
        unsaid = expiry.drop(db, message_id)
        dropped += unsaid.dropped
        _tell_asker(db, message_id, unsaid, now)
    counts = {"expired": dropped}
    return Progress(counts, then=_give_up) if len(found) == BATCH else counts


def _tell_asker(db: Connection, message_id: int, unsaid: Unsaid, now: datetime) -> None:
    """Not who: how many. Of a question without a name nothing is said to the phone of its asker."""
    question = expiry.find_question(db, message_id) if unsaid.missed else None
    if question is None:
        return
    text = _not_reached(unsaid.missed, Ref("threads", question.thread_id), unsaid.whatsapp)
    tell(
        db,
        now,
        f"unsaid/{question.thread_id}",
        Audience("member", question.asker_id),
        Message((text,), subject=Ref("threads", question.thread_id)),
        community_id=question.community_id,
    )


def _not_reached(n: int, thread: Ref, whatsapp: bool) -> Text:
    if whatsapp:
        return _n(
            "Your question {thread} did not reach {n} peer, "
            "who has not opened WhatsApp for a month.",
            "Your question {thread} did not reach {n} peers, "
            "who have not opened WhatsApp for a month.",
            n=n,
            thread=thread,
        )
    return _n(
        "Your question {thread} did not reach {n} peer within a month.",
        "Your question {thread} did not reach {n} peers within a month.",
        n=n,
        thread=thread,
    )
