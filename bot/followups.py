"""Following up: a question is not left alone until it has an answer, and is told how it turned out.

After a working day some peers who know about such things are asked personally, after two the
facilitators hear of it; two weeks after an answer helped, who asked is asked what came of it. Each
happens once: what was done stands in the thread, and messages have a key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from bot.likeness import ALIKE, rank
from bot.messages import Choice, Message, Ref, _
from bot.offers import came_of
from bot.posting import author
from bot.scheduler import Counts, Progress, attempt
from bot.store import copies, followups, messages, posts, tallies, threads
from bot.store.audiences import Audience
from bot.store.followups import Stretch, Waiting, resting
from bot.store.posts import Post
from bot.store.threads import Thread
from bot.telling import tell
from bot.timing import zone
from bot.workdays import DAY, has_passed, is_open

LOOKED_AT = 50  # questions in one transaction, while nothing is to be done
LATEST = timedelta(days=21)  # what was left alone so long is not stirred up by a machine
PEERS = 3
PLACES = tuple(f"peer/{place}" for place in range(PEERS))  # what was said to each of them
FACILITATORS = "facilitators"
REMEMBERED = 200  # answered questions of a community that are compared
LATELY = timedelta(days=90)
OF_USE = timedelta(days=3)  # then whoever could not be told is not told any more
RESPITE = timedelta(days=2)  # for whoever was asked personally
TRIED = timedelta(days=14)  # from an answer that helps to what came of it
TOO_LATE = timedelta(days=42)  # nobody remembers

Holidays = Mapping[tuple[int, str], Sequence[Stretch]]
Step = Callable[[Connection, datetime, Waiting, Sequence[Stretch]], str | None]
Look = Callable[[Connection, datetime, int], list[Waiting]]


def ask_on(db: Connection, now: datetime) -> Counts | Progress:
    """Questions without an answer."""
    return _go_on(_unanswered, _ask_on, 0, db, now)


def ask_back(db: Connection, now: datetime) -> Counts | Progress:
    """Questions with an answer that helped."""
    return _go_on(_helped, _ask_back, 0, db, now)


def _unanswered(db: Connection, now: datetime, after: int) -> list[Waiting]:
    return followups.list_unanswered(db, now - LATEST, now - DAY, after, LOOKED_AT)


def _helped(db: Connection, now: datetime, after: int) -> list[Waiting]:
    return followups.list_helped(db, now - TRIED, after, LOOKED_AT)


def _go_on(look: Look, step: Step, after: int, db: Connection, now: datetime) -> Counts | Progress:
    """Where something is to be done for one question, that is one transaction."""
    found = look(db, now, after)
    every: Holidays = followups.list_holidays(db) if found else {}
    for each in found:
        done = _try(step, db, now, each, every)
        if done is not None:
            return Progress({done: 1}, then=partial(_go_on, look, step, each.thread_id))
    if len(found) < LOOKED_AT:
        return {}
    return Progress({}, then=partial(_go_on, look, step, found[-1].thread_id))


def _try(
    step: Step, db: Connection, now: datetime, waiting: Waiting, every: Holidays
) -> str | None:
    """None if nothing is to be done for it now."""
    free = resting(every, waiting.programme_id, waiting.timezone)
    if not is_open(now, zone(waiting.timezone), free):
        return None
    return attempt(db, partial(step, db, now, waiting, free))


# No answer yet -----------------------------------------------------------------------------------


def _ask_on(db: Connection, now: datetime, waiting: Waiting, free: Sequence[Stretch]) -> str | None:
    """One after the other, also if both are late."""
    wanted = DAY if waiting.followed_up is None else 2 * DAY
    if not has_passed(waiting.since, now, wanted, zone(waiting.timezone), free):
        return None
    step = "peers" if waiting.followed_up is None else "facilitators"
    if not followups.mark(db, waiting.thread_id, waiting.followed_up, step):
        return None
    (_ask_peers if step == "peers" else _tell_facilitators)(db, now, waiting)
    return step


def _tell_facilitators(db: Connection, now: datetime, waiting: Waiting) -> None:
    thread = threads.get(db, waiting.thread_id)
    message = Message(
        (
            _(
                "{thread} in {community} has waited two working days for an answer: {question}",
                thread=Ref("waiting", thread.id),
                community=Ref("communities", thread.community_id),
                question=Ref("posts", waiting.question_id, 200),
            ),
            _("Perhaps you know somebody who could say something."),
        ),
        (
            Choice(f"answers.begin:{thread.id}", _("Answer")),
            Choice(f"threads.show:{thread.id}", _("Look at it")),
        ),
        subject=thread.ref,
    )
    # Without a name everybody hears it alike, else the one who does not would be the asker.
    but = () if thread.anonymous else (thread.asker_id or 0,)
    audience = Audience("facilitators", thread.community_id, but)
    _tell(db, now, thread, FACILITATORS, audience, message)


def _ask_peers(db: Connection, now: datetime, waiting: Waiting) -> None:
    """Who answered such questions before, then who helped lately."""
    thread = threads.get(db, waiting.thread_id)
    if thread.scope != "community":  # the others do not read it
        return
    post = posts.get(db, waiting.question_id)
    alike = _who_knows(db, post, thread)
    helped = followups.list_helpers(db, thread.community_id, now - LATELY, 10 * PEERS)
    able = followups.list_able(db, waiting, {*alike, *helped}, now)
    # The same for everybody where there is no name: whom it passes over could be the asker.
    own = None if thread.anonymous else thread.asker_id
    places = list(PLACES)
    for member_id in dict.fromkeys((*alike, *helped)):
        if not places:
            break
        if member_id == own or member_id not in able or not _may_ask(db, member_id, now):
            continue
        message = _personally(thread, post, knows=member_id in alike)
        where = places.pop(0)
        _tell(db, now, thread, where, Audience("member", member_id), message, wide=True)


def _may_ask(db: Connection, member_id: int, now: datetime) -> bool:
    return tallies.take(db, "asked personally", member_id, 1, RESPITE, now)


def _who_knows(db: Connection, post: Post, thread: Thread) -> list[int]:
    """Who answered questions like this one, whoever did most first."""
    before = followups.list_answered(db, thread.community_id, REMEMBERED)
    wanted = "\n".join(each.text for each in posts.list_bubbles(db, post.id))
    likeness = rank(wanted, [each.text for each in before])
    found: dict[int, float] = defaultdict(float)
    for answered, like in zip(before, likeness, strict=True):
        if like >= ALIKE:
            for member_id, helped in answered.peers.items():
                found[member_id] += like * (2 if helped else 1)
    return sorted(found, key=lambda member_id: (-found[member_id], member_id))


def _personally(thread: Thread, post: Post, *, knows: bool) -> Message:
    """Of no use any more when an answer has come: then it is not said."""
    waits = Ref("waiting", thread.id)
    question = _("Perhaps you can help with {thread}: {post}", thread=waits, post=post.ref)
    community = Ref("communities", thread.community_id)
    asked = _("{name} asks it in {community}.", name=author(thread, post), community=community)
    if thread.anonymous:
        asked = _("It was asked without a name in {community}.", community=community)
    why = _("Answers of yours have helped there.")
    if knows:
        why = _("You have answered questions like this one.")
    choices = [
        Choice(f"answers.begin:{thread.id}", _("Answer")),
        Choice(f"followups.leave:{thread.id}", _("Not this time")),
    ]
    if post.heavy:
        choices.insert(0, Choice(f"heavy.read:{post.id}", _("Read the story")))
    return Message((question, asked, why), tuple(choices), subject=thread.ref)


def _tell(
    db: Connection,
    now: datetime,
    thread: Thread,
    what: str,
    audience: Audience,
    message: Message,
    *,
    wide: bool = False,
    lasts: timedelta = OF_USE,
) -> None:
    """Once; `wide`: counted with what comes unasked, though it goes to one person."""
    tell(
        db,
        now,
        _key(thread.id, what),
        audience,
        message,
        community_id=thread.community_id,
        expires_at=now + lasts,
        wide=wide,
    )


def _key(thread_id: int, what: str) -> str:
    return f"followups/{thread_id}/{what}"


def keep_back(db: Connection, thread_id: int) -> None:
    """It is in another community now: what has not left yet is for nobody where it was."""
    keys = [_key(thread_id, what) for what in (*PLACES, FACILITATORS)]
    for message_id in messages.list_ids(db, keys):
        copies.keep_back(db, message_id, "moved")


# What came of it ---------------------------------------------------------------------------------


def _ask_back(
    db: Connection, now: datetime, waiting: Waiting, _free: Sequence[Stretch]
) -> str | None:
    """Only with a name: else a message that comes to nobody but her would tell who asked."""
    if not followups.mark(db, waiting.thread_id, waiting.followed_up, "outcome"):
        return None
    thread = threads.get(db, waiting.thread_id)
    if waiting.since < now - TOO_LATE or thread.asker_id is None:
        return "too_late"
    if thread.scope != "community" or not followups.knows(db, thread.asker_id, thread.created_at):
        return "not_asked"  # an app that was linked since does not know what she asked
    message = Message(
        (
            _(
                "Two weeks ago an answer helped with {thread}: {question}",
                thread=thread.ref,
                question=Ref("posts", waiting.question_id, 100),
            ),
            _("Did you try it? What came of it?"),
        ),
        came_of(thread.id),
        subject=thread.ref,
    )
    _tell(db, now, thread, "outcome", Audience("member", thread.asker_id), message, lasts=TRIED)
    return "outcomes"
