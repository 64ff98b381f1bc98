"""Schedule: on which days and at which hour something is said, how often, and when it rests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot import ahead, almanac, typed
from bot.conversation import Conversation
from bot.desk import find_place
from bot.i18n import place_of
from bot.messages import Choice, Text, _, _n
from bot.store import audit, communities, schedules
from bot.store.schedules import SEQUENCES, Schedule
from bot.timing import date_of, day_of, today, zone
from bot.turn import Turn

EVERY = (1, 2, 3, 4)  # weeks
WEEK = 7
FAR = 366 * 2  # days: a day further away was mistyped
EXAMPLE_HOUR = "9:00"

schedule_ = Conversation("schedule")


@schedule_.action
def show(turn: Turn) -> None:
    """What there is, and which of it is to be changed."""
    community = find_place(turn, turn.argument, "rhythm")
    if community is None:
        return
    found = schedules.list_of(turn.db, community.id)
    turn.data = {"community": community.id}
    turn.ask(
        *(almanac.rule(each, turn.language) for each in found),
        _("What would you like to change?"),
        choices=[
            *(Choice(f"kind:{each.kind}", almanac.KINDS[each.kind]) for each in found),
            Choice("back", _("Back")),
        ],
        then=kind,
    )


@schedule_.step
def kind(turn: Turn) -> None:
    if turn.choice == "back":
        return _overview(turn)
    turn.data["kind"] = turn.chosen
    found = _schedule(turn)
    if found is not None:
        _ask_what(turn, found)


def _overview(turn: Turn) -> None:
    turn.argument = turn.data["community"]
    turn.start("rhythm.show")


def _schedule(turn: Turn) -> Schedule | None:
    """What she changes, as it stands now, if she still may."""
    community = find_place(turn, turn.data["community"], "rhythm")
    if community is None:
        return None
    return schedules.find(turn.db, community.id, turn.data["kind"])


def _ask_what(turn: Turn, found: Schedule, *more: Text) -> None:
    if found.stopped:
        choices = [Choice("start", _("Begin again"))]
    else:
        choices = [
            Choice("weekday", _("Weekday")),
            Choice("hour", _("Hour")),
            Choice("often", _("How often")),
            Choice("order", _("Order")),
            Choice("place", _("Time zone")),
            Choice("first", _("First day")),
            Choice("last", _("Last day")),
            Choice("stop", _("Not at all")),
        ]
    if found.kind == "digest":
        choices = [each for each in choices if each.key != "order"]
    turn.ask(
        *more,
        almanac.rule(found, turn.language),
        _("What would you like to change?"),
        choices=[*choices, Choice("back", _("Back"))],
        then=what,
    )


@schedule_.step
def what(turn: Turn) -> None:
    found = _schedule(turn)
    if found is None:
        return
    if turn.choice == "back":
        return _overview(turn)
    if turn.choice in ("stop", "start"):
        return _change(turn, stopped=turn.choice == "stop")
    _QUESTIONS[turn.choice or ""](turn)


# Questions and their answers ---------------------------------------------------------------------


def _ask_weekday(turn: Turn) -> None:
    turn.ask(
        _("On which day of the week?"),
        choices=[Choice(f"day:{n}", each) for n, each in enumerate(almanac.WEEKDAYS)],
        then=weekday,
        free=True,
    )


@schedule_.step
def weekday(turn: Turn) -> None:
    on = int(turn.chosen) if turn.choice else typed.weekday(turn.text)
    if on is None:
        return turn.again(_("I do not know that day."))
    _change(turn, weekday=on)


def _ask_hour(turn: Turn) -> None:
    turn.ask(_("At which hour? Write it like {example} or 15:30.", example=EXAMPLE_HOUR), then=hour)


@schedule_.step
def hour(turn: Turn) -> None:
    minutes = typed.oclock(turn.text)
    if minutes is None:
        return turn.again(
            _(
                "I do not understand this hour. Please write it like {example}.",
                example=EXAMPLE_HOUR,
            )
        )
    _change(turn, minutes=minutes)


def _ask_often(turn: Turn) -> None:
    turn.ask(
        _("How often?"),
        choices=[Choice(f"weeks:{n}", _n("Every week", "Every {n} weeks", n=n)) for n in EVERY],
        then=often,
    )


@schedule_.step
def often(turn: Turn) -> None:
    _change(turn, every=int(turn.chosen))


def _ask_order(turn: Turn) -> None:
    turn.ask(
        _(
            "In which order? One after the other; mixed, the useful ones first; "
            "or only what a facilitator picks for each day."
        ),
        choices=(
            Choice("series", _("One after the other")),
            Choice("shuffled", _("Mixed")),
            Choice("picked", _("Only what is picked")),
        ),
        then=order,
    )


@schedule_.step
def order(turn: Turn) -> None:
    _change(turn, sequence=turn.choice if turn.choice in SEQUENCES else "series")


def _ask_place(turn: Turn) -> None:
    community = communities.get(turn.db, turn.data["community"])
    turn.ask(
        _(
            "Shall it be this hour where each reader is, or for all at the same moment? "
            "Then choose the place whose time counts, or write another one."
        ),
        choices=(
            Choice("each", _("Where each one is")),
            Choice(
                f"place:{community.timezone}",
                _("{place}", place=place_of(community.timezone, turn.language)),
            ),
        ),
        then=place,
        free=True,
    )


@schedule_.step
def place(turn: Turn) -> None:
    if turn.choice == "each":
        return _change(turn, timezone=None)
    wanted = turn.chosen if turn.choice else typed.timezone(turn.text)
    if wanted is None:
        return turn.again(_("I do not know that place."))
    _change(turn, timezone=wanted)


def _ask_first(turn: Turn) -> None:
    turn.ask(
        _("From which day on? Write it like 1 March, or 1.3.; weeks are counted from then."),
        then=first,
    )


@schedule_.step
def first(turn: Turn) -> None:
    day = _day(turn)
    if day is not None:
        _change(turn, first_on=day)


def _ask_last(turn: Turn) -> None:
    turn.ask(
        _("Until which day? Write it like 30 June, or 30.6."),
        choices=(Choice("none", _("No last day")),),
        then=last,
        free=True,
    )


@schedule_.step
def last(turn: Turn) -> None:
    day = None if turn.choice == "none" else _day(turn)
    if day is not None or turn.choice == "none":
        _change(turn, until_on=day)


def _day(turn: Turn) -> int | None:
    """The day she typed; None, and she is asked again, if it is none or makes no sense."""
    here = today(turn.now, zone(turn.member.timezone))
    on = typed.day(turn.text, date_of(here))
    day = None if on is None else day_of(on)
    if day is None:
        turn.again(_("I do not understand this day. Please write it like 14 April, or 14.4."))
    elif not here <= day <= here + FAR:
        turn.again(_("That day is over, or very far away. Please write another one."))
        return None
    return day


_QUESTIONS = {
    "weekday": _ask_weekday,
    "hour": _ask_hour,
    "often": _ask_often,
    "order": _ask_order,
    "place": _ask_place,
    "first": _ask_first,
    "last": _ask_last,
}


# The change --------------------------------------------------------------------------------------


def _change(turn: Turn, **values: Any) -> None:
    """Keep it and show what comes then; a rhythm that would never say anything is none."""
    found = _schedule(turn)
    if found is None:
        return
    here = _here(turn)
    wanted = replace(found, **values)
    if not wanted.stopped and not wanted.next_days(here, 1):
        return _ask_what(turn, found, _("Then none would come any more, so nothing was changed."))
    before = {name: getattr(found, name) for name in values}
    _save(turn, wanted)
    turn.data["before"] = before
    turn.ask(
        _("From now on:"),
        almanac.rule(wanted, turn.language),
        almanac.next_ones(wanted, here + 1),
        choices=(
            Choice("more", _("Change more")),
            Choice("undo", _("Undo")),
            Choice("back", _("The next weeks")),
        ),
        then=after,
    )


def _here(turn: Turn) -> int:
    """The day it is in the community."""
    return today(turn.now, zone(communities.get(turn.db, turn.data["community"]).timezone))


def _save(turn: Turn, wanted: Schedule) -> None:
    ahead.save(turn.db, wanted, turn.now)
    audit.add(
        turn.db,
        turn.member.id,
        "rhythm.changed",
        turn.now,
        community_id=wanted.community_id,
        subject_id=wanted.id,
    )


@schedule_.step
def after(turn: Turn) -> None:
    found = _schedule(turn)
    if found is None:
        return
    if turn.choice == "back":
        return _overview(turn)
    if turn.choice == "undo":
        found = replace(found, **turn.data.pop("before", {}))
        _save(turn, found)
        return _ask_what(turn, found, _("It is as it was before."))
    _ask_what(turn, found)
