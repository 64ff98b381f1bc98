"""Pause: for a while nothing comes that she did not ask for; it waits until she is back."""

from __future__ import annotations

from bot import digests
from bot.conversation import Conversation
from bot.messages import N_, Choice, _
from bot.offers import CANCEL
from bot.store import members, presence
from bot.timing import (
    FOR_GOOD,
    MONDAY,
    MORNING,
    hours_of,
    morning_after,
    next_at,
    quiet_until,
    zone,
)
from bot.turn import Turn
from bot.typed import pause_end

pause = Conversation("pause", command="pause", words=N_("pause, take a break"))
back = Conversation("back", words=N_("end the pause, i am back"))


@pause.start
def start(turn: Turn) -> None:
    turn.ask(
        _(
            "For how long? Until then only answers to what you write come; the rest waits. "
            "Choose, or write it: 3 days, until Friday."
        ),
        choices=(
            Choice("two_weeks", _("Two weeks")),
            Choice("monday", _("Until Monday")),
            Choice("back", _("Until I come back")),
            CANCEL,
        ),
        then=chosen,
        free=True,
    )


@pause.step
def chosen(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    timezone = presence.get(turn.db, turn.member.id).timezone
    where = zone(timezone)
    if turn.choice == "back":
        until = FOR_GOOD
    elif turn.choice == "monday":
        until = next_at(turn.now, where, MORNING, MONDAY)
    elif turn.choice == "two_weeks":
        until = morning_after(turn.now, where, 14)
    else:
        typed = pause_end(turn.text, turn.now, where)
        if typed is None:
            return turn.again(_("Please write how long, for example: 3 days, until Friday."))
        until = typed
    members.mark(turn.db, turn.member.id, paused_until=until, timezone=timezone)
    said = _(
        "Paused until {at}. What comes waits for you. Write START to end it earlier.", at=until
    )
    if until >= FOR_GOOD:
        said = _("Paused until you come back. What comes waits for you. Write START to end it.")
    turn.say(said, choices=(Choice("pause.end", _("End the pause")),))


@back.start
def come_back(turn: Turn) -> None:
    end(turn)


@pause.action
def end(turn: Turn) -> None:
    """What waited comes now, unless it is night where she is."""
    until = turn.member.paused_until
    if until is None or until <= turn.now:
        return turn.say(_("There is no pause just now. Write PAUSE to begin one."))
    members.mark(turn.db, turn.member.id, paused_until=None)
    digests.look_again(turn.db, turn.member.id, turn.now, gathered_too=True)
    found = presence.get(turn.db, turn.member.id)
    hours = hours_of(found.quiet_from, found.quiet_until, turn.member.timezone)
    if quiet_until(turn.now, zone(found.timezone), hours) is not None:
        said = _("The pause is over. What waited comes after your quiet hours.")
    else:
        said = _("The pause is over. What waited comes now.")
    turn.say(said, choices=(Choice("pause.start", _("Pause again")),))
