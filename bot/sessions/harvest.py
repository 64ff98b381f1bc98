"""The harvest of a session: what came of it goes to its community, and stays there as a thread.

When it is over, who was there is asked one thing, once; who wrote the notes is offered to send
them. Two days later they go out by themselves, if there are any: nobody has to remember it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from bot.messages import Choice, Message, Ref, Text, _
from bot.scheduler import Counts, Progress, attempt
from bot.store import attendance, communities, harvests, posts, records, sessions, tasks, threads
from bot.store.audiences import Audience
from bot.store.records import Record
from bot.store.sessions import OVER, Session
from bot.store.tasks import Task
from bot.store.threads import Thread
from bot.telling import tell

AT_ONCE = 20  # sessions in one look
BY_ITSELF = timedelta(days=2)  # after the end
GIVEN_UP = timedelta(days=7)  # then there was nothing to tell
ASLEEP = timedelta(days=1)  # a group that has ended may go on one day
ASKED_FOR = timedelta(days=3)  # what could not be asked until then is not asked any more
KIND_OF = {"note": "harvest", "decision": "decision", "taken": "taken"}  # of posts, by records


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the harvest, as a note or as the post it has become."""

    kind: str  # harvest, decision, taken
    author_id: int | None
    ref: Ref

    @property
    def words(self) -> Text:
        return _("{words}", words=self.ref)


# When it is over ---------------------------------------------------------------------------------


def look(db: Connection, now: datetime) -> Counts | Progress:
    """Sessions that are over: one in each transaction."""
    for session_id in harvests.list_new(db, AT_ONCE):
        if attempt(db, partial(_begin, db, now, session_id)):
            return Progress({"begun": 1}, then=look)
    for session_id in harvests.list_due(db, now, AT_ONCE):
        if attempt(db, partial(_end, db, now, session_id)):
            return Progress({"looked_at": 1}, then=look)
    return {}


def _begin(db: Connection, now: datetime, session_id: int) -> bool:
    session = sessions.get(db, session_id)
    if not harvests.begin(db, session.id, now, session.ends_at + BY_ITSELF):
        return False
    writer = _writer_of(db, session)
    for member_id in attendance.list_there(db, session.id):
        _say(db, now, session, member_id, "taken", one_question(session))
    if writer is not None:
        _say(db, now, session, writer, "over", _is_over(db, session, writer))
    return True


def _writer_of(db: Connection, session: Session) -> int | None:
    """Who sees to the notes, if she is still there."""
    return next(
        (
            each
            for each in (session.note_taker_id, session.host_id)
            if each is not None and sessions.find_for(db, session.id, each) is not None
        ),
        None,
    )


def _say(
    db: Connection, now: datetime, session: Session, member_id: int, what: str, message: Message
) -> None:
    """To one person, once; she need not be in the community for it."""
    tell(
        db,
        now,
        f"harvest/{session.id}/{what}/{member_id}",
        Audience("member", member_id),
        message,
        kind="session",
        expires_at=now + ASKED_FOR,
    )


def one_question(session: Session) -> Message:
    """For those who were there."""
    return Message(
        (
            _("Thank you for having been there: {session}.", session=session.ref),
            _("What is one thing you take with you? A word is enough, a question is as good."),
        ),
        (
            Choice(f"harvest.take:{session.id}", _("Say it")),
            Choice(f"harvest.skip:{session.id}", _("Not this time")),
        ),
        subject=Ref("harvests", session.id),
    )


def _is_over(db: Connection, session: Session, writer: int) -> Message:
    choices = [
        Choice(f"harvest.preview:{session.id}", _("Send the notes")),
        Choice(f"notes.begin:{session.id}", _("Add notes")),
        Choice(f"attendance.show:{session.id}", _("Who came")),
    ]
    if writer == session.host_id:
        choices.append(Choice(f"hosting.begin:{session.id}", _("Ask the next host")))
    said = _("There are no notes yet. Reply to this message with what was said, if you like.")
    if records.count(db, session.id):
        said = _(
            "The notes are kept. Send them when you like; else they go to the group by themselves "
            "in two days."
        )
    over = _("{session} is over. Well done!", session=session.ref)
    return Message((over, said), tuple(choices), subject=session.ref)


def _end(db: Connection, now: datetime, session_id: int) -> bool:
    """What was by invitation alone is not sent on by a machine."""
    session = sessions.get(db, session_id)
    if session.state != OVER:
        harvests.look_again(db, session.id, None)
    elif communities.has_ended(db, session.community_id):
        harvests.look_again(db, session.id, now + ASLEEP)
    elif session.scope == "communities" and is_something(db, session.id):
        publish(db, now, session.id)
    elif now < session.ends_at + GIVEN_UP:
        harvests.look_again(db, session.id, session.ends_at + GIVEN_UP)
    elif not is_something(db, session.id):
        harvests.close(db, session.id, None)
    else:
        harvests.look_again(db, session.id, None)
    return True


def is_something(db: Connection, session_id: int) -> bool:
    """Whether there is anything to send."""
    return records.count(db, session_id) > 0 or bool(tasks.list_of(db, session_id))


# Sending it --------------------------------------------------------------------------------------


def publish(db: Connection, now: datetime, session_id: int, by: int | None = None) -> Thread | None:
    """The notes become a thread of the community; None if they are one already.

    Who sends them has seen them.
    """
    session = sessions.lock(db, session_id)
    if session is None or session.state != OVER:
        return None
    if communities.has_ended(db, session.community_id):
        return None
    found = records.list_of(db, session.id)
    asker = session.host_id or session.note_taker_id or _first(each.author_id for each in found)
    if asker is None:
        harvests.close(db, session.id, None)
        return None
    thread = threads.add(db, session.community_id, asker, now)
    made = _make_posts(db, now, thread, found)
    harvests.close(db, session.id, thread.id)
    discreet = communities.get(db, session.community_id).discreet
    done = tasks.list_of(db, session.id)
    message = compose(session, thread, made, done, discreet=discreet)
    message_id = _tell_all(db, now, session, message, by)
    if made:
        posts.mark(db, made[0].ref.id, message_id=message_id)
    return thread


def _first(ids: Iterable[int | None]) -> int | None:
    return next((each for each in ids if each is not None), None)


def _make_posts(
    db: Connection, now: datetime, thread: Thread, found: Sequence[Record]
) -> list[Piece]:
    """One of each author and kind, so that each has her own words in her hand."""
    made = []
    for kind, post_kind in KIND_OF.items():
        authors = dict.fromkeys(each.author_id for each in found if each.kind == kind)
        for author_id in authors:
            pieces = [each for each in found if (each.kind, each.author_id) == (kind, author_id)]
            post_id = harvests.add_post(
                db, thread.id, thread.community_id, author_id, post_kind, pieces, now
            )
            made.append(Piece(post_kind, author_id, Ref("posts", post_id)))
    return made


def _tell_all(
    db: Connection, now: datetime, session: Session, message: Message, by: int | None
) -> int | None:
    """The community; and who was there and is of another one, where the thread cannot be read."""
    message_id = tell(
        db,
        now,
        f"harvest/{session.id}",
        Audience("community", session.community_id, but=() if by is None else (by,)),
        message,
        kind="session",
        community_id=session.community_id,
    )
    there = attendance.list_there(db, session.id)
    alone = Message(message.paragraphs)
    for member_id in attendance.list_outside(db, session.id, session.community_id, there):
        _say(db, now, session, member_id, "told", alone)
    return message_id


# How it looks ------------------------------------------------------------------------------------


def compose(
    session: Session,
    thread: Thread,
    pieces: Sequence[Piece],
    tasks_: Sequence[Task],
    *,
    discreet: bool = False,
) -> Message:
    head = _(
        "What came of {session} on {at} ({thread}):",
        session=session.ref,
        at=session.starts_at,
        thread=thread.ref,
    )
    hint = _(
        "To add something, reply to this message, or write {number} and your words.",
        number=thread.number,
    )
    choices = [
        Choice(f"answers.begin:{thread.id}", _("Add something")),
        Choice(f"threads.follow:{thread.id}", _("Follow")),
    ]
    if not discreet:
        choices.append(Choice(f"harvest.card:{thread.id}", _("Share")))
    return Message((head, *lines(pieces, tasks_)), tuple(choices), hint, subject=thread.ref)


def lines(pieces: Sequence[Piece], tasks_: Sequence[Task]) -> list[Text]:
    """Notes, what was decided, who does what, and what peers take with them."""
    notes = [each.words for each in pieces if each.kind == "harvest"]
    decided = [each.words for each in pieces if each.kind == "decision"]
    taken = [
        _("{name}: {words}", name=Ref("members", each.author_id or 0), words=each.ref)
        for each in pieces
        if each.kind == "taken"
    ]
    found = notes
    for heading, under in (
        (_("Decided:"), decided),
        (_("Who does what:"), [task_line(each) for each in tasks_]),
        (_("What peers take with them:"), taken),
    ):
        found += [heading, *under] if under else []
    return found


def task_line(task: Task) -> Text:
    """Who, what and until when; also that it is done."""
    said: dict[str, object] = {"task": task.ref}
    if task.member_id is None:
        who = _("Nobody yet: {task}", **said)
        return (
            who
            if task.until is None
            else _("Nobody yet: {task}, until {day}", **said, day=task.until)
        )
    said["name"] = Ref("members", task.member_id)
    if task.state == "done":
        return _("{name}: {task} (done)", **said)
    if task.until is None:
        return _("{name}: {task}", **said)
    return _("{name}: {task}, until {day}", **said, day=task.until)


def pieces_of(found: Sequence[Record]) -> list[Piece]:
    """Notes that are not sent yet."""
    return [Piece(KIND_OF[each.kind], each.author_id, each.ref) for each in found]


def posts_of(db: Connection, thread_id: int) -> list[Piece]:
    """The parts of a harvest that was sent."""
    found = harvests.list_posts(db, thread_id)
    return [
        Piece(kind, author_id, Ref("posts", id_))
        for id_, kind, author_id in found
        if kind in harvests.KINDS
    ]
