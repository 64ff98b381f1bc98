"""Attendance: [I am here], or the host notes who came, by the numbers of a list."""

from __future__ import annotations

import regex

from bot.conversation import Conversation
from bot.i18n import fold, word_list
from bot.messages import N_, Choice, Ref, Text, _, _n
from bot.store import attendance, communities, sessions
from bot.store.attendance import EARLY, Comer
from bot.store.sessions import CANCELLED, Session
from bot.turn import Turn

LISTED = 60
EVERYBODY = N_("all came, everyone")
_NUMBERS = regex.compile(r"\d{1,3}(?:\s*-\s*\d{1,3})?")

attendance_ = Conversation("attendance", words=N_("here, i am here"))


# She says so herself -----------------------------------------------------------------------------


@attendance_.start
def start(turn: Turn) -> None:
    """The word alone: the session that is going on."""
    found = attendance.list_under_way(turn.db, turn.member.id, turn.now)
    if not found:
        return turn.say(
            _("There is no session just now that you are expected at. Write SESSIONS to see yours.")
        )
    if len(found) == 1:
        return _here(turn, found[0])
    lines, choices = [], []
    for number, session_id in enumerate(found, 1):
        session = Ref("sessions", session_id)
        lines.append(_("{number}. {session}", number=number, session=session))
        label = _("Session {number}", number=number)
        choices.append(Choice(f"attendance.here:{session_id}", label))
    turn.say(_("Where are you?"), *lines, choices=choices)


@attendance_.action
def here(turn: Turn) -> None:
    """[I am here]: from a quarter of an hour before it begins until it ends."""
    _here(turn, turn.argument)


def _here(turn: Turn, session_id: int) -> None:
    session = sessions.find_for(turn.db, session_id, turn.member.id)
    if session is None:
        return gone(turn)
    if session.state == CANCELLED:
        return turn.say(_("{session} was cancelled.", session=session.ref))
    if turn.now < session.starts_at - EARLY:
        return turn.say(
            _(
                "It begins on {at}. From a quarter of an hour before you can say "
                "that you are here.",
                at=session.starts_at,
            )
        )
    if turn.now > session.ends_at:
        return turn.say(_("It is over already. The host can note that you were there."))
    attendance.mark(turn.db, session.id, [turn.member.id], turn.now)
    turn.say(_("Noted. Good that you are here!"))


@attendance_.action
def gone(turn: Turn) -> None:
    """Erased, never hers, of a group she has left: all look alike."""
    turn.say(_("I do not find that session any more."))


# The host says so --------------------------------------------------------------------------------


@attendance_.action
def show(turn: Turn) -> None:
    """[Who came]: for the host, who writes the notes, and who facilitates there."""
    session = _mine(turn, turn.argument)
    if session is None:
        return gone(turn)
    if turn.now < session.starts_at - EARLY:
        return turn.say(_("Who came can be noted from a quarter of an hour before it begins."))
    turn.data = {"session": session.id}
    _ask(turn, session)


def _mine(turn: Turn, session_id: int) -> Session | None:
    session = sessions.find(turn.db, session_id)
    if session is None or session.state == CANCELLED:
        return None
    if session.takes_notes(turn.member.id):
        return sessions.find_for(turn.db, session_id, turn.member.id)
    leads = communities.find_where(turn.db, turn.member.id, session.community_id, "desk", turn.now)
    return None if leads is None else session


def _ask(turn: Turn, session: Session, *said: Text) -> None:
    comers = attendance.list_comers(turn.db, session.id)[:LISTED]
    if communities.get(turn.db, session.community_id).discreet:
        there = sum(1 for each in comers if each.came)
        return turn.say(
            *said,
            _n(
                "{n} person is there, as far as was said.",
                "{n} people are there, as far as was said.",
                n=there,
            ),
            _("In this group nobody is listed. Everybody says it with HERE."),
        )
    if not comers:
        return turn.say(*said, _("Nobody has said yet that they come."))
    turn.data["listed"] = [each.member_id for each in comers]
    turn.ask(
        *said,
        _("Who came to {session}?", session=session.ref),
        *(_line(number, each) for number, each in enumerate(comers, 1)),
        _("Write the numbers, like: 1 3 5-7. Or write ALL CAME."),
        then=ticks,
    )


def _line(number: int, comer: Comer) -> Text:
    name = Ref("members", comer.member_id)
    if comer.came:
        return _("{number}. {name}: was there", number=number, name=name)
    return _("{number}. {name}", number=number, name=name)


@attendance_.step
def ticks(turn: Turn) -> None:
    session = _mine(turn, turn.data["session"])
    if session is None:
        return gone(turn)
    listed = turn.data["listed"]
    numbers = _read(turn.text, len(listed))
    if numbers is None:
        return turn.again(
            _(
                "Please write numbers of the list, from 1 to {most}, or ALL CAME. CANCEL ends it.",
                most=len(listed),
            )
        )
    comers = {each.member_id: each.came for each in attendance.list_comers(turn.db, session.id)}
    wanted = [listed[number - 1] for number in numbers if listed[number - 1] in comers]
    attendance.mark(turn.db, session.id, wanted, turn.now)
    turn.data["ticked"] = [each for each in wanted if not comers[each]]
    turn.ask(
        _n("Noted: {n} person.", "Noted: {n} people.", n=len(wanted)),
        choices=(
            Choice("done", _("Done")),
            Choice("more", _("More")),
            Choice("undo", _("Undo")),
        ),
        then=noted,
    )


def _read(text: str, most: int) -> list[int] | None:
    """Numbers of a list, in any digits: 1 3 5-7; None if there is anything else in it."""
    typed = fold(text)
    if typed in word_list(EVERYBODY):
        return list(range(1, most + 1))
    if regex.sub(r"[\s,;.&+]", "", _NUMBERS.sub("", typed)):
        return None
    found: set[int] = set()
    for each in _NUMBERS.findall(typed):
        first, _dash, last = each.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return sorted(found) if found and min(found) >= 1 and max(found) <= most else None


@attendance_.step
def noted(turn: Turn) -> None:
    session = _mine(turn, turn.data["session"])
    if session is None:
        return gone(turn)
    if turn.choice == "done":
        return turn.say(_("Thank you."))
    if turn.choice == "undo":
        attendance.unmark(turn.db, session.id, turn.data["ticked"])
        return _ask(turn, session, _("Taken back."))
    _ask(turn, session)
