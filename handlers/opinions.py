"""Opinions: [Useful] and [Not for me] under what is said every week; counted, never with a name."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import Choice, _
from bot.store import contents
from bot.store import opinions as given
from bot.turn import Turn

opinions = Conversation("opinions")


@opinions.action
def useful(turn: Turn) -> None:
    if _give(turn, useful=True):
        turn.say(_("Thank you. It is counted, without your name."), choices=(_undo(turn),))


@opinions.action
def not_for_me(turn: Turn) -> None:
    if _give(turn, useful=False):
        turn.say(
            _("Thank you. It is counted, without your name, and helps to choose better ones."),
            choices=(_undo(turn), Choice(f"tip.another:{turn.argument}", _("Another tip"))),
        )


def _give(turn: Turn, *, useful: bool) -> bool:
    """False if it is gone since."""
    if contents.find(turn.db, turn.argument) is None:
        turn.conversations.events["stale"](turn)
        return False
    given.give(turn.db, turn.argument, turn.member.id, turn.now, useful=useful)
    return True


def _undo(turn: Turn) -> Choice:
    return Choice(f"opinions.undo:{turn.argument}", _("Undo"))


@opinions.action
def undo(turn: Turn) -> None:
    given.take_back(turn.db, turn.argument, turn.member.id)
    turn.say(_("Taken back; it does not count any more."))
