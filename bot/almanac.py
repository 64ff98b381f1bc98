"""Almanac: the days of a weekly rhythm in words, for those who look after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from bot.ahead import Upcoming
from bot.i18n import SOURCE, place_of
from bot.messages import Ref, Text, _, _n
from bot.store.schedules import Schedule
from bot.timing import date_of

SHOWN = 50  # graphemes of a text in a list

KINDS = {"tip": _("Tip"), "prompt": _("Question"), "digest": _("What peers said")}
SHORT = {"tip": _("Tip"), "prompt": _("Question"), "digest": _("Peers said")}
WEEKDAYS = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)
SEQUENCES = {
    "series": _("one after the other"),
    "shuffled": _("mixed, the useful ones first"),
    "picked": _("only what a facilitator picks"),
}


def hour(minutes: int) -> str:
    """09:00"""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def when(each: Upcoming, language: str) -> Text:
    """Day and hour; where it is not each reader's own, with the place."""
    day, at = date_of(each.day), hour(each.schedule.minutes)
    if each.schedule.timezone is None:
        return _("{day}, {hour}", day=day, hour=at)
    place = place_of(each.schedule.timezone, language)
    return _("{day}, {hour} in {place}", day=day, hour=at, place=place)


def label(each: Upcoming) -> Text:
    """Short enough for a button: Tip 11/1."""
    on = date_of(each.day)
    return _("{kind} {date}", kind=SHORT[each.schedule.kind], date=f"{on.day}/{on.month}")


def lines(found: Sequence[Upcoming], language: str) -> list[Text]:
    """One paragraph for each day and hour, with a line for each thing that is said then."""
    said = []
    for _moment, group in groupby(found, key=lambda each: each.at):
        together = list(group)
        rows = [when(together[0], language), *(_what(each, language) for each in together)]
        said.append(stacked(rows))
    return said


def stacked(rows: Sequence[Text]) -> Text:
    """One line below the other."""
    text = rows[-1]
    for row in reversed(rows[:-1]):
        text = _("{line}\n{more}", line=row, more=text)
    return text


def _what(each: Upcoming, language: str) -> Text:
    kind, edition = KINDS[each.schedule.kind], each.edition
    if edition is not None and edition.state == "skipped":
        why = edition.reason or ""
        if why == "by_hand":
            return _("{kind}: left out", kind=kind)
        if why != "holiday":
            return _("{kind}: nothing came", kind=kind)
    if each.holiday is not None and (edition is None or edition.reason != "by_hand"):
        names = each.holiday.names
        return _(
            "{kind}: nothing, {holiday}", kind=kind, holiday=names.get(language, names[SOURCE])
        )
    if each.schedule.kind == "digest":
        return _("{kind}", kind=kind)
    if each.content is None:
        return _("{kind}: nothing yet", kind=kind)
    shown = Ref("contents", each.content.id, SHOWN)
    if is_over(each):
        return _("{kind}, said already: {content}", kind=kind, content=shown)
    if edition is not None and edition.picked:
        return _("{kind}, picked: {content}", kind=kind, content=shown)
    return _("{kind}: {content}", kind=kind, content=shown)


def is_left_out(each: Upcoming) -> bool:
    """Whether nothing is said on that day."""
    return each.edition is not None and each.edition.state == "skipped"


def is_over(each: Upcoming) -> bool:
    """Whether nothing can be changed about it any more."""
    edition = each.edition
    if edition is None or edition.state == "ahead":
        return False
    return edition.state != "skipped" or edition.reason != "by_hand"


def rule(schedule: Schedule, language: str) -> Text:
    """How it goes on: which day, how often, in which order."""
    kind = KINDS[schedule.kind]
    if schedule.stopped:
        return _("{kind}: not at all", kind=kind)
    shown = {
        "kind": kind,
        "weekday": WEEKDAYS[schedule.weekday],
        "hour": hour(schedule.minutes),
    }
    head = _n(
        "{kind}: {weekday}, {hour}, every week",
        "{kind}: {weekday}, {hour}, every {n} weeks",
        n=schedule.every,
        **shown,
    )
    rows = [head, *_more(schedule, language)]
    return stacked(rows)


def _more(schedule: Schedule, language: str) -> list[Text]:
    found = []
    if schedule.timezone is not None:
        found.append(_("Time in {place}", place=place_of(schedule.timezone, language)))
    if schedule.kind != "digest":
        found.append(_("Order: {order}", order=SEQUENCES[schedule.sequence]))
    if schedule.until_on is not None:
        found.append(_("Last day: {day}", day=date_of(schedule.until_on)))
    if schedule.rests_until is not None:
        found.append(_("Rests until {day}", day=date_of(schedule.rests_until)))
    return found


def next_ones(schedule: Schedule, today: int) -> Text:
    """The next days on which it is said."""
    days: list[date] = [date_of(day) for day in schedule.next_days(today, 3)]
    if not days:
        return _("Nothing comes any more.")
    return stacked([_("The next ones:"), *(_("{day}", day=day) for day in days)])
