"""Doubt: perhaps somebody else has this number now; who writes is asked for her name first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.conversation import Conversation
from bot.i18n import fold, graphemes, tidy_name
from bot.messages import Choice, Message, _
from bot.store import addresses, alerts, doubts, meeting, waiting
from bot.turn import Turn

TRIES = 5  # wrong names, then this is somebody else
BURST = timedelta(seconds=10)  # what comes so soon was written before the question was read
LONGEST = 40  # signs of a name; longer words are something else
KEPT = 10  # bubbles that are taken up later

doubt = Conversation("doubt")


@doubt.on("doubted")
def ask(turn: Turn) -> None:
    """Nothing is shown before she has said who she is; what she wrote is taken up then."""
    turn.data = {"kept": [turn.inbox_id]}
    turn.ask(
        _("Hello! It has been a while. Which name did you use here?"),
        choices=(Choice("new", _("I am new here")),),
        then=name,
        free=True,
    )


@doubt.step
def name(turn: Turn) -> None:
    if turn.choice == "new":
        return _cut(turn)
    if fold(tidy_name(turn.text)) == fold(turn.member.name or ""):
        return _trust(turn)
    doubted_at = turn.sender.doubted_at or turn.now
    in_burst = turn.now < doubted_at + BURST
    if in_burst or turn.inbound.files or graphemes(turn.text) > LONGEST:
        turn.data["kept"] = [*turn.data["kept"], turn.inbox_id][:KEPT]
        return turn.wait() if in_burst else turn.again(_("I have kept this. First, please:"))
    tries = turn.sender.wrong_codes + 1
    if tries >= TRIES:
        return _cut(turn)
    doubts.mark_wrong(turn.db, turn.address_id, tries)
    turn.again(_("I do not know this name here. Please look at the spelling:"))


def _trust(turn: Turn) -> None:
    """It is she: what waited comes now, then what she wrote first is taken up."""
    doubts.end(turn.db, turn.address_id)
    turn.sender = replace(turn.sender, doubted_at=None)
    waiting.release(turn.db, turn.address_id, turn.now)
    addresses.come_back(turn.db, turn.address_id, turn.now)
    turn.say(_("Thank you."))
    turn.take_up(turn.data["kept"])


def _cut(turn: Turn) -> None:
    """Somebody else: a stranger, of whom nothing is known."""
    others = [each for each in addresses.list_of(turn.db, turn.member.id)]
    lane, names = turn.inbound.lane, turn.inbound.sender
    keep = [key for each in names for key in meeting.keys_of(lane, each)]
    addresses.cut(turn.db, turn.address_id, turn.now, keep)
    turn.sender, _new = meeting.meet(turn.db, lane, names, turn.now)
    turn.talk = None
    told = _(
        "Your other app was silent for long and is not linked any more. "
        "To see your apps, write MY APPS."
    )
    for each in others:
        if each.id != turn.address_id:
            key = f"doubt/{turn.inbox_id}/{each.id}"
            alerts.add(turn.db, key, Message((told,)), each.id, turn.now, turn.now)
    turn.conversations.events["stranger"](turn)
