"""Tasks: who does what until when, and what became of it on its day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import regex
from sqlalchemy import Connection

from bot.conversation import Conversation
from bot.i18n import fold, word_list
from bot.messages import N_, Choice, Ref, Text, _
from bot.scheduler import Counts, job
from bot.sessions import duties
from bot.store import attendance, communities, members, sessions, tasks
from bot.store.tasks import Task
from bot.timing import zone
from bot.turn import Turn
from bot.when.dates import Unclear, read_day

NAMED = 6  # people to choose from; others are written by name
LABEL = 20  # graphemes
LISTED = 8
AHEAD = 400  # days; later than that is a slip
DUE = N_("by, due, no later than")

_NO_DAY = _("I do not understand this day. Write it like: Friday, 15 January, in two weeks.")
_UNCLEAR = {
    "past": _("That day is over already. Which day shall it be?"),
    "no_such_day": _("I do not find that day in the calendar. Which day shall it be?"),
    "two_days": _("That fits more than one day. Which one do you mean?"),
}

tasks_ = Conversation("tasks", words=N_("tasks, my tasks"))


@job(every=timedelta(minutes=15))
def ask(db: Connection, now: datetime) -> Counts:
    """On their day."""
    return duties.ask(db, now)


# Whose, and until when ---------------------------------------------------------------------------


@tasks_.action
def give(turn: Turn) -> None:
    """A new one; data has the session and the task."""
    task = _new(turn)
    if task is None:
        return
    _take_day(turn, task)
    session = sessions.get(turn.db, task.session_id)
    turn.ask(
        _("Who does it? {task}", task=task.ref),
        _("Choose, or write the name."),
        choices=[
            Choice("me", _("I do it")),
            *_people(turn, session.id, session.community_id),
            Choice("nobody", _("Nobody yet")),
        ],
        then=who,
        free=True,
    )


def _new(turn: Turn) -> Task | None:
    """The one that is being written down; it may be gone, with her or with the session."""
    task = tasks.find(turn.db, turn.data.get("task", 0))
    if task is None or task.author_id != turn.member.id:
        _gone(turn)
        return None
    return task


def _take_day(turn: Turn, task: Task) -> None:
    """ "... by Friday": the day is known already."""
    words, until = _with_day(turn, task)
    if until is not None:
        tasks.reword(turn.db, task.id, words)
        turn.data["until"] = until.isoformat()


def _with_day(turn: Turn, task: Task) -> tuple[str, date | None]:
    """What is to be done, and until when, if that is how it ends."""
    for word in sorted(word_list(DUE), key=len, reverse=True):
        edge = r"\b" if word.isascii() else ""
        pattern = rf"(.+)[\s,]*{edge}{regex.escape(word)}{edge}\s*(.+)"
        found = regex.fullmatch(pattern, task.text, regex.S | regex.I)
        until = None if found is None else read_day(found[2], turn.now, zone(task.timezone))
        if found is None or until is None or isinstance(until, Unclear):
            continue
        if _is_near(until, _today(turn, task)):
            return found[1].rstrip(" ,"), until
    return task.text, None


def _is_near(until: date, today: date) -> bool:
    return 0 <= (until - today).days <= AHEAD


def _today(turn: Turn, task: Task) -> date:
    return turn.now.astimezone(zone(task.timezone)).date()


def _people(turn: Turn, session_id: int, community_id: int) -> list[Choice]:
    """Who is expected; in a discreet community nobody is listed."""
    if communities.get(turn.db, community_id).discreet:
        return []
    found = [
        each.member_id
        for each in attendance.list_comers(turn.db, session_id)
        if each.member_id != turn.member.id
    ]
    return [
        Choice(f"member:{id_}", _("{name}", name=Ref("members", id_, LABEL)))
        for id_ in found[:NAMED]
    ]


@tasks_.step
def who(turn: Turn) -> None:
    task = _new(turn)
    if task is None:
        return
    member_id = _chosen(turn, task)
    if member_id is None and turn.choice != "nobody":
        return turn.again(
            _("I do not find one person of this name in the group. Write it once more:")
        )
    tasks.give(turn.db, task.id, member_id)
    if "until" in turn.data:
        return _put(turn, date.fromisoformat(turn.data.pop("until")))
    turn.ask(
        _("Until when? Write a day, like: Friday, 15 January, in two weeks."),
        choices=(Choice("whenever", _("No date")),),
        then=when,
        free=True,
    )


def _chosen(turn: Turn, task: Task) -> int | None:
    if turn.choice == "me":
        return turn.member.id
    if turn.choice is not None:
        return int(turn.chosen) if turn.choice.startswith("member:") else None
    session = sessions.get(turn.db, task.session_id)
    comers = attendance.list_comers(turn.db, task.session_id)
    named = [each.member_id for each in comers if fold(each.name or "") == fold(turn.text)]
    found = named or members.find_by_name(turn.db, session.community_id, turn.text)
    return found[0] if len(found) == 1 else None


@tasks_.step
def when(turn: Turn) -> None:
    task = _new(turn)
    if task is None:
        return
    if turn.choice == "whenever":
        return turn.start("notes.go_on", session=task.session_id, task=task.id)
    until = _read_day(turn, task)
    if until is not None:
        _put(turn, until)


def _read_day(turn: Turn, task: Task) -> date | None:
    """A day from today on; else she is asked again."""
    where = zone(task.timezone)
    found = read_day(turn.text, turn.now, where)
    if isinstance(found, Unclear):
        meant = [_("{day}", day=each.astimezone(where).date()) for each in found.suggestions]
        turn.again(_UNCLEAR.get(found.reason, _NO_DAY), *meant)
    elif not _is_near(found, _today(turn, task)):
        turn.again(_("{day} is far away. Which day shall it be?", day=found))
    else:
        return found
    return None


def _put(turn: Turn, until: date) -> None:
    task = tasks.find(turn.db, turn.data["task"])
    if task is None:
        return _gone(turn)
    duties.put(turn.db, task, until, turn.now)
    turn.start("notes.go_on", session=task.session_id, task=task.id)


# On its day --------------------------------------------------------------------------------------


@tasks_.start
def start(turn: Turn) -> None:
    """What she has taken on."""
    found = tasks.list_hers(turn.db, turn.member.id)
    if not found:
        return turn.say(_("You have taken nothing on just now."))
    lines: list[Text] = []
    choices = []
    for number, each in enumerate(found[:LISTED], 1):
        lines.append(_line(number, each))
        choices.append(Choice(f"tasks.one:{each.id}", _("Task {number}", number=number)))
    turn.say(_("You have taken on:"), *lines, choices=choices)


def _line(number: int, task: Task) -> Text:
    if task.until is None:
        return _("{number}. {task}", number=number, task=task.ref)
    return _("{number}. {task}, until {day}", number=number, task=task.ref, day=task.until)


@tasks_.action
def one(turn: Turn) -> None:
    task = _hers(turn, turn.argument)
    if task is not None:
        turn.say(_("{task}", task=task.ref), choices=duties.answers(task.id))


def _hers(turn: Turn, task_id: int) -> Task | None:
    """What she does; whoever does it now alone says what became of it."""
    task = tasks.find(turn.db, task_id)
    if task is None or task.member_id != turn.member.id:
        _gone(turn)
        return None
    if task.state != tasks.OPEN:
        turn.say(_("That is settled already. Thank you!"))
        return None
    return task


def _gone(turn: Turn) -> None:
    turn.say(_("I do not find that task any more."))


@tasks_.action
def done(turn: Turn) -> None:
    task = _hers(turn, turn.argument)
    if task is not None and tasks.end(turn.db, task.id, tasks.DONE, turn.now):
        turn.say(_("Good! It stands as done with the notes."))


@tasks_.action
def drop(turn: Turn) -> None:
    """Nobody is told, and nobody counts it."""
    task = _hers(turn, turn.argument)
    if task is not None and tasks.end(turn.db, task.id, tasks.DROPPED, turn.now):
        turn.say(_("All right, it is off your list."))


@tasks_.action
def later(turn: Turn) -> None:
    task = _hers(turn, turn.argument)
    if task is None:
        return
    turn.data = {"task": task.id}
    turn.ask(
        _("When shall I ask again? You can also write a day."),
        choices=(
            Choice("1", _("Tomorrow")),
            Choice("7", _("In a week")),
        ),
        then=again,
        free=True,
    )


@tasks_.step
def again(turn: Turn) -> None:
    task = _hers(turn, turn.data["task"])
    if task is None:
        return
    if turn.choice is not None:
        until: date | None = _today(turn, task) + timedelta(days=int(turn.choice))
    else:
        until = _read_day(turn, task)
    if until is not None:
        duties.put(turn.db, task, until, turn.now)
        turn.say(_("All right, I ask again on {day}.", day=until))
