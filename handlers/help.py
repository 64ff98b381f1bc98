"""Help: what this is, who sees what, how to stop."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, _
from bot.store import programmes
from bot.turn import Turn

help_ = Conversation(
    "help",
    command="help",
    about=_("How it works, and who sees what"),
    words=N_("help, how does it work"),
    anywhere=True,
)


@help_.start
def start(turn: Turn) -> None:
    turn.say(
        _(
            "Write a question, and your peers answer. "
            "To answer one, reply to its message or write its number and your answer."
        ),
        _("Write MENU for all you can do, CANCEL to end something, STOP to get no more messages."),
        _("Peers see the name you chose and what you send. No member sees your number."),
        _(
            "SETTINGS: your language, your name, how much comes and when. "
            "REPORT: tell of something that worries you, safely. "
            "GET HELP NOW: whom to call."
        ),
        _(
            "Do others see this phone? Write DISCREET: "
            "then messages stay closed until you open them."
        ),
    )
    for contact in programmes.list_contacts(turn.db)[:1]:
        turn.say(_("If you are stuck, ask {contact}.", contact=contact))
