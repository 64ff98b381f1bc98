"""Notes of a session: what was said, decided and taken on, as it comes, before, during and after.

Who writes them replies to any message about the session, or writes NOTES. Each bubble is a piece
that stays; a piece becomes a decision or a task by a choice, or by the word it begins with.
"""

from __future__ import annotations

import regex

from bot.conversation import Conversation
from bot.i18n import fold, word_list
from bot.messages import N_, Choice, Ref, Text, _
from bot.sessions.harvest import task_line
from bot.smalltalk import is_small
from bot.store import communities, harvests, records, sessions, tasks, threads
from bot.store.sessions import CANCELLED, PLANNED, TOLD, Session
from bot.turn import BURST, Turn

SHOWN = 40  # pieces in one look
LISTED = 5  # harvests in one list
DECISION = N_("decision, decided, we decided")
TASK = N_("task, to do, todo")
TASKS = "tasks, my tasks"  # what starts handlers/tasks.py is the word on its buttons too
_BEGINS = regex.compile(r"\s*([^:：៖]{2,30})[:：៖]\s*(.+)", regex.S)

notes = Conversation(
    "notes",
    command="notes",
    about=_("Notes of sessions"),
    words=N_("notes, write notes, session notes"),
)


# Ways in -----------------------------------------------------------------------------------------


@notes.start
def start(turn: Turn) -> None:
    """Those she writes, and those that can be read."""
    mine = records.list_sessions(turn.db, turn.member.id, turn.now)
    told = harvests.list_told(turn.db, turn.member.id, LISTED)
    if len(mine) == 1 and not told:
        return _begin(turn, mine[0])
    if not mine and not told:
        return turn.say(
            _("There are no notes yet. Who holds a session, or writes its notes, sends them here.")
        )
    lines, choices = [], []
    for number, session_id in enumerate(mine, 1):
        session = sessions.get(turn.db, session_id)
        lines.append(
            _("{number}. {session}, {at}", number=number, session=session.ref, at=session.starts_at)
        )
        choices.append(Choice(f"notes.begin:{session_id}", _("Session {number}", number=number)))
    if lines:
        lines.insert(0, _("Sessions whose notes you write:"))
    if told:
        lines.append(_("Notes that were sent:"))
    for each in told:
        thread, about = Ref("threads", each.thread_id), Ref("sessions", each.session_id)
        lines.append(
            _("{thread}: {session}, {at}", thread=thread, session=about, at=each.starts_at)
        )
        choices.append(Choice(f"harvest.show:{each.thread_id}", _("{thread}", thread=thread)))
    turn.say(*lines, choices=choices)


@notes.action
def begin(turn: Turn) -> None:
    _begin(turn, turn.argument)


def _begin(turn: Turn, session_id: int) -> None:
    turn.data = {"session": session_id}
    session = _find(turn)
    if session is None:
        return
    turn.ask(
        _("Notes of {session}.", session=session.ref),
        _(
            "Write or say what came up, as it comes, in one message or several. "
            "What is a decision or a task you choose after it."
        ),
        choices=(Choice("show", _("Show all")), Choice("done", _("Done"))),
        then=write,
        free=True,
    )


@notes.action
def keep(turn: Turn) -> None:
    """She replied to what was said of the session; data has it."""
    session = _find(turn)
    if session is not None:
        _keep(turn, session)


@notes.action
def adopt(turn: Turn) -> None:
    """She simply wrote while it went on; data has the session and the draft."""
    session = _find(turn)
    if session is not None and harvests.adopt(
        turn.db, turn.data.pop("post"), session.id, turn.member.id, "note", turn.now
    ):
        _noted(turn, _("Noted."))


def _find(turn: Turn) -> Session | None:
    """The session, if she may write its notes now; else she hears why not, and nothing is lost."""
    # locked: what comes while the notes are sent is not left behind
    session = sessions.lock(turn.db, turn.data["session"])
    if session is None or not may_write(turn, session):
        turn.start("attendance.gone")
    elif session.state == CANCELLED:
        turn.say(_("{session} was cancelled.", session=session.ref))
    elif session.state == TOLD and session.thread_id is not None:
        _add_to_thread(turn, session.thread_id)
    elif turn.now > session.ends_at + records.OPEN_FOR or session.state == TOLD:
        turn.say(
            _("It is more than a week ago. Simply write it as a question or a story to your group.")
        )
    else:
        return session
    return None


def may_write(turn: Turn, session: Session) -> bool:
    """The host and the note-taker; where there is neither, who leads the community."""
    if session.takes_notes(turn.member.id):
        return sessions.find_for(turn.db, session.id, turn.member.id) is not None
    if session.host_id is not None or session.note_taker_id is not None:
        return False
    there = turn.db, turn.member.id, session.community_id, "desk", turn.now
    return communities.find_where(*there) is not None


def _add_to_thread(turn: Turn, thread_id: int) -> None:
    """The notes are out: what comes later is a part of their thread."""
    thread = threads.get(turn.db, thread_id)
    if turn.choice is None and (turn.text or turn.files):
        turn.subject = thread.ref
        return turn.conversations.events["thread"](turn)
    turn.say(
        _(
            "The notes are out as {thread}. To add something, write {number} and your words.",
            thread=thread.ref,
            number=thread.number,
        ),
        choices=(Choice(f"harvest.show:{thread.id}", _("Look at it")),),
        subject=thread.ref,
    )


# Writing -----------------------------------------------------------------------------------------


@notes.step
def write(turn: Turn) -> None:
    session = _find(turn)
    if session is None:
        return
    if turn.choice is None:
        return _keep(turn, session)
    _CHOSEN[turn.choice](turn, session)


def _keep(turn: Turn, session: Session) -> None:
    if is_small(turn.text, turn.files):
        return _small(turn, session)
    kind, words = _begins_with(turn.text)
    if kind == "task":
        task_id = tasks.add(turn.db, session.id, turn.member.id, words, turn.now)
        return turn.start("tasks.give", session=session.id, task=task_id)
    turn.text = words
    records.add(turn.db, session.id, turn.member.id, turn.content, turn.now, kind)
    if turn.answering and turn.postpone():
        return turn.wait()
    _noted(turn, _("Noted as a decision.") if kind == "decision" else _("Noted."))


def _small(turn: Turn, session: Session) -> None:
    """Thanks, or a sign of life: nothing to note."""
    if turn.answering:
        return turn.wait()
    turn.say(_("Thank you! Write NOTES when you would like to note something."))


def _begins_with(text: str) -> tuple[str, str]:
    """(kind, words) of "Decision: …", "Task: …"; a note if it begins otherwise."""
    found = _BEGINS.fullmatch(text)
    for kind, words in (("decision", DECISION), ("task", TASK), ("task", TASKS)):
        if found is not None and fold(found[1]) in word_list(words):
            return kind, found[2]
    return "note", text


def _noted(turn: Turn, said: Text, *more: Text) -> None:
    turn.data = {"session": turn.data["session"]}
    turn.ask(
        said,
        *more,
        choices=(
            Choice("decision", _("It is a decision")),
            Choice("task", _("It is a task")),
            Choice("undo", _("Undo")),
            Choice("show", _("Show all")),
            Choice("done", _("Done")),
        ),
        then=write,
        free=True,
        after=BURST,
    )


@notes.action
def go_on(turn: Turn) -> None:
    """A task is complete; data has the session and the task."""
    task = tasks.find(turn.db, turn.data["task"])
    turn.data = {"session": turn.data["session"]}
    said = [] if task is None else [task_line(task)]
    turn.ask(
        _("Noted as a task."),
        *said,
        choices=(
            Choice("undo", _("Undo")),
            Choice("show", _("Show all")),
            Choice("done", _("Done")),
        ),
        then=write,
        free=True,
    )


# Choices -----------------------------------------------------------------------------------------


def _decision(turn: Turn, session: Session) -> None:
    last = records.find_last(turn.db, session.id, turn.member.id)
    if last is None:
        return turn.again(_("There is nothing to change yet. Write it first."))
    records.mark(turn.db, last.id, "decision")
    _noted(turn, _("Noted as a decision."), _("{words}", words=last.ref))


def _task(turn: Turn, session: Session) -> None:
    """The last piece, if it is in words, is something that somebody does."""
    last = records.find_last(turn.db, session.id, turn.member.id)
    if last is None or last.file != "text":
        return turn.again(_("There is nothing to change yet. Write it first."))
    task_id = tasks.add(turn.db, session.id, turn.member.id, last.text, turn.now)
    records.remove(turn.db, [last.id])
    turn.start("tasks.give", session=session.id, task=task_id)


def _undo(turn: Turn, session: Session) -> None:
    """Whichever came last, a piece or a task."""
    last = records.find_last(turn.db, session.id, turn.member.id)
    task = tasks.find_last(turn.db, session.id, turn.member.id)
    if last is None and task is None:
        return turn.again(_("There is nothing of yours to take back."))
    made = None if task is None else tasks.find_made(turn.db, task.id)
    if task is not None and (last is None or (made is not None and made >= last.created_at)):
        tasks.remove(turn.db, task.id)
    elif last is not None:
        records.remove(turn.db, [last.id])
    _noted(turn, _("The last one is taken back."))


def _show(turn: Turn, session: Session) -> None:
    found = [each for each in records.list_of(turn.db, session.id) if each.kind != "taken"]
    shown = [
        _("Decided: {words}", words=each.ref)
        if each.kind == "decision"
        else _("{words}", words=each.ref)
        for each in found[-SHOWN:]
    ]
    shown += [task_line(each) for each in tasks.list_of(turn.db, session.id)]
    _noted(turn, _("Notes of {session}.", session=session.ref), *(shown or [_("Nothing yet.")]))


def _done(turn: Turn, session: Session) -> None:
    if session.state == PLANNED:
        return turn.say(
            _("All is kept. When the session is over, I ask you whether I shall send it.")
        )
    turn.say(
        _("All is kept. It goes to the group when you send it, or by itself after two days."),
        choices=(
            Choice(f"harvest.preview:{session.id}", _("Send the notes")),
            Choice(f"notes.begin:{session.id}", _("Add notes")),
        ),
        subject=session.ref,
    )


_CHOSEN = {"decision": _decision, "task": _task, "undo": _undo, "show": _show, "done": _done}
