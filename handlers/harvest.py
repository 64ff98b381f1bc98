"""The harvest of a session: what each takes with her, sending the notes, and reading them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.conversation import Conversation
from bot.messages import Choice, Ref, Text, _, _n
from bot.offers import CANCEL, SEND
from bot.posting import author
from bot.scheduler import Counts, Progress, job
from bot.sessions import harvest
from bot.smalltalk import is_small
from bot.store import communities, harvests, lanes, posts, records, sessions, tasks, threads
from bot.store.audiences import Audience
from bot.store.sessions import CANCELLED, PLANNED, TOLD, Session
from bot.store.threads import Thread
from bot.turn import Turn

QUOTED = 140  # graphemes on a card
ADDED = 5  # of what was said about it later

harvest_ = Conversation("harvest")


@job(every=timedelta(minutes=5))
def look(db: Connection, now: datetime) -> Counts | Progress:
    """Sessions that are over."""
    return harvest.look(db, now)


# What she takes with her -------------------------------------------------------------------------


@harvest_.action
def take(turn: Turn) -> None:
    """[Say it]"""
    turn.data = {"session": turn.argument}
    if _mine(turn) is not None:
        turn.ask(_("What is one thing you take with you?"), then=taken)


@harvest_.action
def skip(turn: Turn) -> None:
    """Noted nowhere."""
    turn.say(_("All right. Thank you for having been there."))


@harvest_.step
def taken(turn: Turn) -> None:
    if is_small(turn.text, turn.files):
        return turn.say(_("All right. Thank you for having been there."))
    said(turn)


@harvest_.action
def said(turn: Turn) -> None:
    """A reply to the question, too; data has the session."""
    session = _mine(turn)
    if session is None:
        return
    if is_small(turn.text, turn.files):
        return turn.say(_("Thank you!"))
    ids = records.add(turn.db, session.id, turn.member.id, turn.content, turn.now, "taken")
    _thank(turn, ids[0])


@harvest_.action
def adopt(turn: Turn) -> None:
    """She simply wrote it; data has the session and the draft."""
    session = _mine(turn)
    if session is None:
        return
    post_id = turn.data["post"]
    if harvests.adopt(turn.db, post_id, session.id, turn.member.id, "taken", turn.now):
        turn.say(_("Thank you! It goes to the group with the notes, with your name."))


def _thank(turn: Turn, record_id: int) -> None:
    turn.say(
        _("Thank you! It goes to the group with the notes, with your name."),
        choices=(Choice(f"harvest.undo:{record_id}", _("Undo")),),
    )


@harvest_.action
def undo(turn: Turn) -> None:
    """As long as it was not sent; then it is a post of hers."""
    found = records.find_hers(turn.db, turn.argument, turn.member.id)
    if found is None:
        return turn.say(_("It is not here any more, or it was sent with the notes already."))
    records.remove(turn.db, records.list_beside(turn.db, found))
    turn.say(_("Taken back."))


def _mine(turn: Turn) -> Session | None:
    """A session she may speak of; once its notes are out, what she says goes into their thread."""
    session = sessions.find_for(turn.db, turn.data["session"], turn.member.id)
    if session is None or session.state in (PLANNED, CANCELLED):
        turn.start("attendance.gone")
        return None
    if session.state != TOLD:
        return session
    thread = None if session.thread_id is None else turn.find_thread(session.thread_id)
    if thread is None:
        turn.say(_("The notes of it are closed. Simply write it to your group."))
    elif turn.choice is None and (turn.text or turn.files):
        turn.subject = thread.ref
        turn.conversations.events["thread"](turn)
    else:
        turn.argument = thread.id
        turn.start("answers.begin")
    return None


# Sending the notes -------------------------------------------------------------------------------


@harvest_.action
def preview(turn: Turn) -> None:
    """[Send the notes]: first how it will look, and to whom it goes."""
    session = _sendable(turn, turn.argument)
    if session is None:
        return
    if not harvest.is_something(turn.db, session.id):
        return turn.say(
            _("There is nothing to send yet. Write a line or two, that is enough."),
            choices=(Choice(f"notes.begin:{session.id}", _("Add notes")),),
        )
    turn.data = {"session": session.id}
    pieces = harvest.pieces_of(records.list_of(turn.db, session.id))
    turn.ask(
        _("What came of {session}:", session=session.ref),
        *harvest.lines(pieces, tasks.list_of(turn.db, session.id)),
        _who_reads_it(turn, session),
        choices=(SEND, Choice("more", _("Add notes")), CANCEL),
        then=confirm,
    )


def _sendable(turn: Turn, session_id: int) -> Session | None:
    """Its notes are hers to send, it is over, and they were not sent."""
    session = sessions.find(turn.db, session_id)
    if session is None or not _may_send(turn, session):
        turn.start("attendance.gone")
    elif session.state == TOLD:
        turn.start("notes.begin") if session.thread_id else turn.say(_("It is closed already."))
    elif session.state == CANCELLED:
        turn.say(_("{session} was cancelled.", session=session.ref))
    elif session.state == PLANNED:
        turn.say(_("The notes can be sent when the session is over. Until then they are kept."))
    else:
        return session
    return None


def _may_send(turn: Turn, session: Session) -> bool:
    if session.takes_notes(turn.member.id):
        return sessions.find_for(turn.db, session.id, turn.member.id) is not None
    there = turn.db, turn.member.id, session.community_id, "desk", turn.now
    return communities.find_where(*there) is not None


def _who_reads_it(turn: Turn, session: Session) -> Text:
    everybody = Audience("community", session.community_id, but=(turn.member.id,))
    return _n(
        "It goes to {n} peer in {community}, and can be found there by its number.",
        "It goes to {n} peers in {community}, and can be found there by its number.",
        n=turn.reach(everybody, "session").all,
        community=Ref("communities", session.community_id),
    )


@harvest_.step
def confirm(turn: Turn) -> None:
    session_id = turn.data["session"]
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was sent. The notes are kept."))
    if turn.choice == "more":
        turn.argument = session_id
        return turn.start("notes.begin")
    session = _sendable(turn, session_id)
    if session is None:
        return
    thread = harvest.publish(turn.db, turn.now, session.id, turn.member.id)
    if thread is None:
        return turn.say(_("It is closed already."))
    turn.say(
        _("Thank you. The notes have the number {thread}.", thread=thread.ref),
        choices=_choices(turn, thread),
        subject=thread.ref,
    )


# Reading them ------------------------------------------------------------------------------------


@harvest_.action
def show(turn: Turn) -> None:
    """The thread of a session: its notes, and what was added."""
    thread = turn.find_thread(turn.argument)
    session_id = None if thread is None else harvests.find_thread(turn.db, thread.id)
    if thread is None or session_id is None:
        return turn.start("threads.gone")
    session = sessions.get(turn.db, session_id)
    message = harvest.compose(
        session,
        thread,
        harvest.posts_of(turn.db, thread.id),
        tasks.list_of(turn.db, session_id),
    )
    turn.say(
        *message.paragraphs,
        *_added(turn, thread),
        choices=_choices(turn, thread),
        subject=thread.ref,
    )


def _added(turn: Turn, thread: Thread) -> list[Text]:
    found = posts.list_live(turn.db, thread.id, 1000)
    later = [each for each in found if each.kind not in harvests.KINDS]
    lines = [_("{name}: {post}", name=author(thread, each), post=each.ref) for each in later]
    return [_("Added later:"), *lines[-ADDED:]] if lines else []


def _choices(turn: Turn, thread: Thread) -> list[Choice]:
    found = [Choice(f"answers.begin:{thread.id}", _("Add something"))]
    if threads.is_followed(turn.db, thread, turn.member.id):
        found.append(Choice(f"threads.unfollow:{thread.id}", _("Stop following")))
    else:
        found.append(Choice(f"threads.follow:{thread.id}", _("Follow")))
    if not communities.get(turn.db, thread.community_id).discreet:
        found.append(Choice(f"harvest.card:{thread.id}", _("Share")))
    if communities.find_where(turn.db, turn.member.id, thread.community_id, "hide", turn.now):
        found.append(Choice(f"moderation.begin:{thread.id}", _("Hide a post")))
    return found


@harvest_.action
def card(turn: Turn) -> None:
    """Ready to forward: no name and no group; of a discreet community there is none."""
    thread = turn.find_thread(turn.argument)
    session_id = None if thread is None else harvests.find_thread(turn.db, thread.id)
    if thread is None or session_id is None:
        return turn.start("threads.gone")
    found = harvest.posts_of(turn.db, thread.id)
    if communities.get(turn.db, thread.community_id).discreet or not found:
        return turn.say(_("What is said there stays there, so there is no card."))
    links = lanes.list_links(turn.db, f"Q{thread.number}", turn.limits)
    turn.say(_("Send the next message on, where your peers are:"))
    turn.say(
        _("We met and learnt: {session}.", session=Ref("sessions", session_id)),
        _("“{words}”", words=Ref("posts", found[0].ref.id, QUOTED)),
        _("What do you know about it? Read on and add it here:"),
        *(_("{link}", link=link) for link in links or [f"Q{thread.number}"]),
    )
