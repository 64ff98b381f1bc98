"""Details: what of a session is other than usual, while it is planned or changed."""

from __future__ import annotations

import regex

from bot.conversation import Conversation
from bot.i18n import fold, languages, own_name
from bot.messages import Choice, _, _n
from bot.sessions import plans
from bot.sessions.calling import INVITED, spoken
from bot.store import communities, members
from bot.store.sessions import REMINDERS
from bot.turn import Turn
from bot.when.lengths import read_length

SHORTEST, LONGEST = 5, 3 * 24 * 60  # minutes
MOST_SEATS = 1000
MOST_NAMES = 20  # in one message
EVERY = (1, 2, 4)  # weeks; others can be written
RAREST = 26

_NUMBER = regex.compile(r"\d{1,5}")

details = Conversation("details")


@details.action
def choose(turn: Turn) -> None:
    """What shall be another?"""
    turn.ask(
        _("What would you like to change?"),
        choices=(
            Choice("title", _("What about")),
            Choice("at", _("When")),
            Choice("place", _("Where")),
            Choice("minutes", _("How long")),
            Choice("seats", _("Seats")),
            Choice("who", _("Who may come")),
            Choice("languages", _("Languages")),
            Choice("notes", _("Who takes notes")),
            Choice("every", _("How often")),
            Choice("reminders", _("Reminders")),
            Choice("back", _("Back")),
        ),
        then=what,
    )


@details.step
def what(turn: Turn) -> None:
    if turn.choice == "at":
        turn.data["before"] = turn.data["at"]
    if turn.choice in ("title", "at", "place"):
        turn.data.pop(turn.choice, None)
    if turn.choice in ("title", "at", "place", "back"):
        return _back(turn)
    _QUESTIONS[turn.choice or ""](turn)


def _back(turn: Turn) -> None:
    turn.start("session.review", **turn.data)


# How long ----------------------------------------------------------------------------------------


def _ask_length(turn: Turn) -> None:
    turn.ask(
        _("How long does it last? Choose, or write it, like: 45 minutes, 1h30, 2 days"),
        choices=(
            Choice("30", _("Half an hour")),
            Choice("60", _("An hour")),
            Choice("90", _("An hour and a half")),
            Choice("120", _("Two hours")),
        ),
        then=length,
        free=True,
    )


@details.step
def length(turn: Turn) -> None:
    minutes = int(turn.choice) if turn.choice else read_length(turn.text)
    if minutes is None or not SHORTEST <= minutes <= LONGEST:
        return turn.again(_("Please write how long, from 5 minutes to 3 days, like: 90 minutes"))
    turn.data["minutes"] = minutes
    _back(turn)


# Seats -------------------------------------------------------------------------------------------


def _ask_seats(turn: Turn) -> None:
    """No choices here: a number alone is the answer."""
    turn.ask(
        _("How many can come at most? Write a number, or 0 if as many may come as like to."),
        then=seats,
    )


@details.step
def seats(turn: Turn) -> None:
    found = _NUMBER.findall(fold(turn.text))
    if len(found) != 1 or int(found[0]) > MOST_SEATS:
        return turn.again(_("Please write a number up to {most}, like 8.", most=MOST_SEATS))
    turn.data["seats"] = int(found[0]) or None
    _back(turn)


# Languages ---------------------------------------------------------------------------------------


def _ask_languages(turn: Turn) -> None:
    chosen = turn.data["languages"]
    said = [spoken(chosen)] if chosen else []
    left = [code for code in languages() if code not in chosen]
    turn.ask(
        *said,
        _("Which languages will be spoken?"),
        choices=[
            *(Choice(f"add:{code}", _("{language}", language=own_name(code))) for code in left),
            *([Choice("none", _("Take all away"))] if chosen else []),
            Choice("done", _("Done")),
        ],
        then=language,
    )


@details.step
def language(turn: Turn) -> None:
    if turn.choice == "done":
        return _back(turn)
    kept = [] if turn.choice == "none" else [*turn.data["languages"], turn.chosen]
    turn.data["languages"] = [code for code in languages() if code in kept]
    _ask_languages(turn)


# Who may come ------------------------------------------------------------------------------------


def _ask_who(turn: Turn) -> None:
    """Groups of hers, the one that holds it first; or people by their names."""
    here = communities.get(turn.db, turn.data["community"])
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    # Nothing goes into a discreet group, or out of one.
    mine = [
        each.id
        for each in communities.list_where(turn.db, turn.member.id, "ask", turn.now)
        if each.id != here.id and not each.discreet and not here.discreet
    ]
    asked = turn.data["for"]
    add = [Choice(f"add:{id_}", labels[id_]) for id_ in mine if id_ not in asked]
    turn.ask(
        *plans.who(turn.data),
        _("Who may come?"),
        choices=[
            Choice("here", _("Only this group")),
            *add,
            Choice("names", _("Only by invitation")),
            Choice("back", _("Back")),
        ],
        then=who,
    )


@details.step
def who(turn: Turn) -> None:
    if turn.choice == "back":
        return _back(turn)
    if turn.choice == "names":
        return _ask_names(turn)
    turn.data |= {"scope": "communities", "invited": []}
    if turn.choice == "here":
        turn.data["for"] = []
        return _back(turn)
    turn.data["for"] = sorted({*turn.data["for"], int(turn.chosen)})
    _ask_who(turn)


def _ask_names(turn: Turn) -> None:
    turn.ask(
        _("Whom would you like to invite? Write their names as the group sees them, with commas."),
        then=names,
    )


@details.step
def names(turn: Turn) -> None:
    typed = [each.strip() for each in turn.text.replace("\n", ",").split(",") if each.strip()]
    found, missing = set(turn.data["invited"]), []
    for name in typed[:MOST_NAMES]:
        called = _called(turn, name)
        if len(called) == 1:
            found.add(called[0])
        else:
            missing.append(name)
    if not found:
        return turn.again(_("I do not find these names in the group. Please write them once more:"))
    turn.data |= {"scope": INVITED, "for": [], "invited": sorted(found)}
    if not missing:
        return _back(turn)
    turn.ask(
        *plans.who(turn.data),
        _n(
            "This name I do not find, or not only once: {names}. Write it again, or go on.",
            "These names I do not find, or not only once: {names}. Write them again, or go on.",
            n=len(missing),
            names=", ".join(missing),
        ),
        choices=(Choice("done", _("Go on")),),
        then=more_names,
        free=True,
    )


@details.step
def more_names(turn: Turn) -> None:
    if turn.choice == "done":
        return _back(turn)
    names(turn)


def _called(turn: Turn, name: str) -> list[int]:
    """Others in the group who are called so."""
    found = members.find_by_name(turn.db, turn.data["community"], name)
    return [each for each in found if each != turn.member.id]


# Who takes the notes -----------------------------------------------------------------------------


def _ask_note_taker(turn: Turn) -> None:
    turn.ask(
        _(
            "Who takes the notes? Write the name as the group sees it. "
            "Whoever holds the session can always write notes too."
        ),
        choices=(Choice("me", _("I do it")), Choice("nobody", _("Nobody yet"))),
        then=note_taker,
        free=True,
    )


@details.step
def note_taker(turn: Turn) -> None:
    if turn.choice:
        turn.data["note_taker_id"] = turn.member.id if turn.choice == "me" else None
        return _back(turn)
    found = _called(turn, turn.text)
    if len(found) != 1:
        return turn.again(
            _("I do not find one person of this name in the group. Write it once more:")
        )
    turn.data["note_taker_id"] = found[0]
    _back(turn)


# How often ---------------------------------------------------------------------------------------


def _ask_often(turn: Turn) -> None:
    turn.ask(
        _("How often is it held? Choose, or write it, like: every 3 weeks"),
        choices=(
            Choice("0", _("Once")),
            *(Choice(str(n), _n("Every week", "Every {n} weeks", n=n)) for n in EVERY),
        ),
        then=often,
        free=True,
    )


@details.step
def often(turn: Turn) -> None:
    found = _NUMBER.findall(turn.choice or fold(turn.text))
    if len(found) != 1 or int(found[0]) > RAREST:
        return turn.again(_("Please write a number of weeks up to {most}.", most=RAREST))
    turn.data["every"] = int(found[0]) or None
    _back(turn)


# Reminders ---------------------------------------------------------------------------------------

_WEEK, _DAY, _HOUR = REMINDERS
_REMINDERS: dict[str, tuple[int, ...]] = {
    "all": REMINDERS,
    "two": (_DAY, _HOUR),
    "day": (_DAY,),
    "hour": (_HOUR,),
    "none": (),
}


def _ask_reminders(turn: Turn) -> None:
    turn.ask(
        plans.reminded(turn.data["reminders"]),
        _("When shall those who come be reminded?"),
        choices=(
            Choice("all", _("Week, day and hour")),
            Choice("two", _("A day and an hour")),
            Choice("day", _("A day before")),
            Choice("hour", _("An hour before")),
            Choice("none", _("Not at all")),
        ),
        then=reminders,
    )


@details.step
def reminders(turn: Turn) -> None:
    turn.data["reminders"] = list(_REMINDERS[turn.choice or "all"])
    _back(turn)


_QUESTIONS = {
    "minutes": _ask_length,
    "seats": _ask_seats,
    "languages": _ask_languages,
    "who": _ask_who,
    "notes": _ask_note_taker,
    "every": _ask_often,
    "reminders": _ask_reminders,
}
