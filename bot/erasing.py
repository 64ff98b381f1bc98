"""Erasing: who asked to be forgotten is gone within a minute, in steps that hold nobody up.

Each step is a transaction of its own. All of them begin again from the first one until nothing is
found, so that a crash at any line only means to look once more. What the providers still have goes
into `erasures`, from where bot/eraser.py deletes it there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.messages import Trace
from bot.models.outbox import PRIORITY
from bot.scheduler import Counts, Progress, job
from bot.store import captions, erasures, forgetting, media, stories, threads, traces, withdrawing
from bot.store.forgetting import FEW, Whom
from bot.stories import withdrawing as untold
from bot.telling import retract
from bot.timing import coarse

LAST_WORD = timedelta(seconds=20)  # so long the last word to her may take to leave
ON_ITS_WAY = timedelta(seconds=35)  # what is with a provider then is not waited for any more
LATER = "later"  # the place of a step that can only be done at the next tick

# What one of her rows may have been in; the rest has no words, names or addresses.
TABLES = (
    "members", "addresses", "address_keys", "memberships", "codes", "conversations", "inbox",
    "messages", "deliveries", "dispatches", "showings", "prompts", "posts", "bubbles", "threads",
    "follows", "envelopes", "reports", "notes", "opinions", "topics", "interests", "sessions",
    "signups", "needs", "records", "tasks", "media", "proposals", "ideas", "hands", "sections",
    "captions", "agreements", "reflections",
    "stories", "story_parts", "consents", "candidates", "choices", "reasons", "exported",
    "leaves",
)  # fmt: skip

Place = Any  # where a step stands in what it looks through; None = at its end
Step = Callable[[Connection, Whom, Place, datetime], tuple[int, Place]]


@job(every=timedelta(seconds=15))
def forget(db: Connection, now: datetime) -> Counts | Progress:
    """Everybody who asked for it, one after the other."""
    return _next(0, db, now)


def _next(after: int, db: Connection, now: datetime) -> Counts | Progress:
    whom = forgetting.find_next(db, after)
    if whom is None:
        return {}
    begins = now >= whom.erasing_at + LAST_WORD or forgetting.has_heard(db, whom)
    if not begins:
        return Progress({}, then=partial(_next, whom.member_id))
    return Progress({}, then=partial(_go_on, whom, 0, START[0]))


def _go_on(whom: Whom, step: int, place: Place, db: Connection, now: datetime) -> Progress:
    count, place = STEPS[step](db, whom, place, now)
    if place == LATER:
        return Progress({"rows": count}, then=partial(_next, whom.member_id))
    if place is not None:
        return Progress({"rows": count}, then=partial(_go_on, whom, step, place))
    if step + 1 < len(STEPS):
        return Progress({"rows": count}, then=partial(_go_on, whom, step + 1, START[step + 1]))
    return Progress({"rows": count}, then=partial(_close, whom))


def _close(whom: Whom, db: Connection, now: datetime) -> Progress:
    """Her row stays, empty, until the files are clean: after a crash they are cleaned again."""
    if _is_soon(whom, now) and traces.is_under_way(db, whom.member_id):
        return Progress({}, then=partial(_next, whom.member_id))  # again at the next tick
    if forgetting.has_deliveries(db, whom):
        return Progress({}, then=partial(_go_on, whom, 0, START[0]))
    forgetting.remove_addresses(db, whom)
    return Progress({}, scrub=TABLES, then=partial(_end, whom))


def _is_soon(whom: Whom, now: datetime) -> bool:
    """Whether it can still be waited for what the providers have in their hands."""
    return now < whom.erasing_at + ON_ITS_WAY


def _end(whom: Whom, db: Connection, now: datetime) -> Progress:
    forgetting.remove_member(db, whom)
    return Progress({"members": 1}, then=partial(_next, whom.member_id))


# The steps --------------------------------------------------------------------------------------


def _drafts(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    return _again(forgetting.remove_drafts(db, whom), place)


def _files(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    """Also of posts whose words stay: a voice or a face is nobody else's."""
    return _again(media.drop_hers(db, whom.member_id, now, FEW), place)


def _posts(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    """Her posts stay as those of a former member, or are taken back, as she chose.

    What she gave to facilitators alone is taken back in any case.
    """
    post = traces.find_post(db, whom.member_id, of_few=not whom.erases_posts)
    if post is not None:
        return _take_back(db, post, now), place
    if whom.erases_posts:
        return 0, None
    return _again(forgetting.unname_posts(db, whom), place)


def _take_back(db: Connection, post: Any, now: datetime) -> int:
    """One post, from the thread and from phones where that is possible; 0 = not all of it yet."""
    if not traces.drop_copies(db, post.id, post.message_id):
        return 0
    retract(db, now, post.id)
    if post.kind == "question" and post.thread_id is not None:
        threads.mark_closed(db, post.thread_id, coarse(now))
    media.drop_of_post(db, post.id, now)
    traces.empty_post(db, post.id)
    return 1


def _links(db: Connection, whom: Whom, place: int, now: datetime) -> tuple[int, Place]:
    """What she asked without her name."""
    hers, place_after = traces.list_links(db, place, whom.member_id)
    for thread_id in hers if whom.erases_posts else ():
        post = traces.find_unnamed_post(db, thread_id)
        if post is not None:
            return _take_back(db, post, now), place
    media.drop_of_askers(db, hers, now)
    traces.unlink(db, hers)
    return len(hers), place_after


def _envelopes(db: Connection, whom: Whom, place: str, now: datetime) -> tuple[int, Place]:
    hers, place_after = traces.remove_envelopes(db, place, whom.member_id)
    for each in hers:
        media.drop_held(db, each, coarse(now))
        media.drop(db, each.get("media", ()), now)
    return len(hers), place_after


def _reports(db: Connection, whom: Whom, place: int, now: datetime) -> tuple[int, Place]:
    """What she said there aloud goes; her words stay, without her."""
    hers, place_after = traces.list_reports(db, place, whom.member_id)
    media.drop_of_reports(db, hers, now)
    traces.unname_reports(db, hers)
    return len(hers), place_after


def _waiting(
    db: Connection, whom: Whom, place: tuple[int, int, int], now: datetime
) -> tuple[int, Place]:
    """Lane by lane: what waits for her goes; what is frozen with her name is made anew."""
    lane, priority, after = place
    lanes = traces.list_lanes(db)
    if lane >= len(lanes):
        return 0, None
    hers, tried, end = traces.list_waiting(db, lanes[lane], priority, after, whom.member_id)
    for start in range(0, len(hers), FEW):
        _keep(db, forgetting.remove_deliveries(db, whom, hers[start : start + FEW])[1], now)
    thawed, left = traces.thaw(db, tried, whom.member_id, patient=_is_soon(whom, now))
    count = len(hers) + thawed
    if left:
        return count, LATER
    if end is not None:
        return count, (lane, priority, end)
    last = priority == max(PRIORITY.values())
    return count, (lane + 1, 0, 0) if last else (lane, priority + 1, 0)


def _held(db: Connection, whom: Whom, place: tuple[int, int], now: datetime) -> tuple[int, Place]:
    """What is held for others, frozen with her name."""
    tried, end = traces.list_held(db, place)
    thawed, _left = traces.thaw(db, tried, whom.member_id, patient=False)
    return thawed, None if end == (0, 0) else end


def _her_held(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    count, left = forgetting.remove_held(db, whom)
    return _again(_keep(db, left, now, count), place)


def _settled(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    count, left = forgetting.remove_settled(db, whom)
    return _again(_keep(db, left, now, count), place)


def _prompts(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    return _again(forgetting.remove_prompts(db, whom), place)


def _inbox(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    count, left = forgetting.empty_inbox(db, whom)
    return _again(_keep(db, left, now, count), place)


def _nobodys(db: Connection, whom: Whom, place: int, now: datetime) -> tuple[int, Place]:
    names = [to for _lane, to in whom.addresses.values()]
    return traces.empty_nobodys(db, place, names)


def _ties(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    return _again(forgetting.remove_ties(db, whom), place)


def _answers(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    """What she answered to sessions, and what she offered and asked for."""
    return _again(withdrawing.remove_answers(db, whom.member_id), place)


def _meetings(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    """Sessions that she held, their notes, and who does what."""
    words_too = whom.erases_posts
    return _again(withdrawing.unname(db, whom.member_id, words_too=words_too), place)


def _captions(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    """What she wrote down for those who cannot hear or see."""
    words_too = whom.erases_posts
    return _again(captions.forget_of(db, whom.member_id, FEW, words_too=words_too), place)


def _stories(db: Connection, whom: Whom, place: Place, now: datetime) -> tuple[int, Place]:
    """What she told, one story after the other; consent ends with her."""
    story = stories.find_next(db, whom.member_id)
    if story is None:
        return 0, None
    untold.forget(db, now, story)
    return 1, place


def _keep(db: Connection, left: list[Trace], now: datetime, count: int = 0) -> int:
    """What the providers still have is deleted there later."""
    erasures.add(db, left, now)
    return count


def _again(count: int, place: Place) -> tuple[int, Place]:
    """The same once more, as long as it finds as much as it may take."""
    return count, place if count == FEW else None


_PLACES: dict[Step, Place] = {
    _files: True,
    _stories: True,  # before the posts they are made of
    _drafts: True,
    _posts: True,
    _envelopes: "",  # before the links: one that is opened makes a new one
    _links: 0,
    _reports: 0,
    _her_held: True,
    _settled: True,
    _prompts: True,
    _inbox: True,
    _nobodys: 0,
    _ties: True,
    _answers: True,
    _meetings: True,
    _captions: True,
    _held: (0, 0),
    _waiting: (0, 0, 0),
}
STEPS = tuple(_PLACES)
START = tuple(_PLACES.values())
