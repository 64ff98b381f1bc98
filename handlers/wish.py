"""Wish: how much of what is said every week a member would like."""

from __future__ import annotations

from collections.abc import Callable

from bot.conversation import Conversation
from bot.messages import N_, Choice, _
from bot.pace import RHYTHMS
from bot.store import members, presence
from bot.turn import Turn

weekly = Conversation("weekly", words=N_("weekly, each week"))

_IS_SET = {
    "all": _("The weekly tip, the weekly question and what peers said come to you."),
    "prompt": _(
        "The weekly question and what peers said come to you, and no tips. "
        "Write TIP when you would like one."
    ),
    "tip": _("The weekly tip comes to you, and no questions."),
    "fortnight": _("What comes weekly comes to you every second week."),
    "none": _("Nothing comes to you weekly. Write TIP when you would like a tip."),
}


@weekly.start
def start(turn: Turn) -> None:
    turn.ask(
        _(
            "Each week a tip, a question and what peers said about it can come to you. "
            "How much of it would you like? Skipping is always fine."
        ),
        choices=(
            Choice("all", _("All of it")),
            Choice("prompt", _("Only questions")),
            Choice("tip", _("Only tips")),
            Choice("fortnight", _("Every second week")),
            Choice("none", _("Nothing")),
        ),
        then=chosen,
    )


@weekly.step
def chosen(turn: Turn) -> None:
    _set(turn, turn.choice or "all")


def _set(turn: Turn, wanted: str) -> None:
    before = presence.get(turn.db, turn.member.id).rhythm
    members.mark(turn.db, turn.member.id, rhythm=wanted)
    undo = () if wanted == before else (Choice(f"weekly.{before}", _("Undo")),)
    turn.say(_IS_SET[wanted], _("Write SETTINGS to change it."), choices=undo)


def _undo(wanted: str) -> Callable[[Turn], None]:
    def undo(turn: Turn) -> None:
        _set(turn, wanted)

    return undo


weekly.actions |= {f"weekly.{wanted}": _undo(wanted) for wanted in RHYTHMS}
