"""My data: a file of everything that is kept about her, into the chat that asked for it."""

from __future__ import annotations

from datetime import timedelta

from bot.conversation import Conversation
from bot.messages import N_, Choice, Ref, _
from bot.offers import CANCEL
from bot.store import tallies
from bot.turn import Turn

A_DAY = 3  # files; each shows everything to whoever holds the phone
SETTLED = timedelta(days=7)  # so long a newly linked app gets none

mydata = Conversation(
    "mydata",
    command="mydata",
    about=_("A file of all that is kept about you"),
    words=N_("my data, my file, what do you know about me"),
    anywhere=True,
)


@mydata.start
def start(turn: Turn) -> None:
    if _is_too_new(turn):
        return
    turn.ask(
        _(
            "I can send you a file with everything that is kept about you here: your number, your "
            "groups, what you wrote, also without your name."
        ),
        _("It comes into this chat. Whoever holds this phone can read it."),
        choices=(Choice("send", _("Send it here")), CANCEL),
        then=confirm,
    )


def _is_too_new(turn: Turn) -> bool:
    """Somebody with her phone for a minute must not get it all."""
    linked_at = turn.sender.linked_at
    if turn.sender.doubted_at is None and (linked_at is None or linked_at < turn.now - SETTLED):
        return False
    turn.say(
        _(
            "This app is new here, so the file does not come to it yet. "
            "Please ask for it in your other app, or in a week."
        )
    )
    return True


@mydata.step
def confirm(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was sent."))
    unlocked = turn.sender.unlocked_until
    if turn.member.has_secret and (unlocked is None or unlocked < turn.now):
        return turn.start("secret.ask", then="mydata.make")
    make(turn)


@mydata.action
def make(turn: Turn) -> None:
    """It is made when it is handed over, and stands nowhere else."""
    if _is_too_new(turn):
        return
    today = f"{turn.member.id}/{turn.now:%Y-%m-%d}"
    if not tallies.take(turn.db, "mydata", today, A_DAY, timedelta(days=1), turn.now):
        return turn.say(_("You got this file several times today. Please ask again tomorrow."))
    turn.say(
        _("Here is your file. Please delete it when you have read it."),
        file=Ref("my_data", turn.address_id),
    )
