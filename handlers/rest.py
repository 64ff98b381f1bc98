"""Rest: nothing is said in a community for a while, at New Year or in a month in the field."""

from __future__ import annotations

from dataclasses import replace

from bot import ahead, typed
from bot.conversation import Conversation
from bot.desk import find_place
from bot.messages import Choice, _
from bot.offers import CANCEL
from bot.store import audit, schedules
from bot.store.communities import Community
from bot.timing import date_of, day_of, today, zone
from bot.turn import Turn

LONGEST = 366  # days
WHILES = (14, 28)  # days

rest = Conversation("rest")


@rest.action
def begin(turn: Turn) -> None:
    community = find_place(turn, turn.argument, "rhythm")
    if community is None:
        return
    turn.data = {"community": community.id}
    turn.ask(
        _(
            "Until when shall nothing be said in {community}? "
            "Choose, or write a day, like 18 April, or a while, like 3 weeks.",
            community=community.ref,
        ),
        choices=(
            Choice(f"days:{WHILES[0]}", _("Two weeks")),
            Choice(f"days:{WHILES[1]}", _("Four weeks")),
            CANCEL,
        ),
        then=until,
        free=True,
    )


@rest.step
def until(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    community = find_place(turn, turn.data["community"], "rhythm")
    if community is None:
        return
    here = today(turn.now, zone(community.timezone))
    on = None if turn.choice else typed.day(turn.text, date_of(here))
    day = here + int(turn.chosen) if turn.choice else None if on is None else day_of(on)
    if day is None or not here < day <= here + LONGEST:
        return turn.again(
            _("I do not understand this day. Please write it like 14 April, or 14.4.")
        )
    _set(turn, community, day)
    turn.say(
        _(
            "Nothing is said every week in {community} before {day}. Questions go on as always.",
            community=community.ref,
            day=date_of(day),
        ),
        choices=(
            Choice(f"rest.end:{community.id}", _("Undo")),
            Choice(f"rhythm.show:{community.id}", _("The next weeks")),
        ),
    )


@rest.action
def end(turn: Turn) -> None:
    """It goes on at its next day."""
    community = find_place(turn, turn.argument, "rhythm")
    if community is None:
        return
    _set(turn, community, None)
    turn.start("rhythm.show")


def _set(turn: Turn, community: Community, day: int | None) -> None:
    for each in schedules.list_of(turn.db, community.id):
        if each.rests_until != day:
            ahead.save(turn.db, replace(each, rests_until=day), turn.now)
    action = "rhythm.goes_on" if day is None else "rhythm.rests"
    audit.add(turn.db, turn.member.id, action, turn.now, community_id=community.id)
