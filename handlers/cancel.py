"""Cancel: end what is under way."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, _
from bot.turn import Turn

cancel = Conversation(
    "cancel",
    command="cancel",
    about=_("End what is under way"),
    words=N_("cancel, never mind"),
    anywhere=True,
)


@cancel.start
def start(turn: Turn) -> None:
    if turn.talk is None:
        turn.say(_("Nothing is under way. Write MENU to see what you can do."))
        return
    turn.answer(turn.talk)
    turn.say(_("Cancelled. Nothing was sent."))
