"""How I like messages: who cannot hear gets the text, who cannot see gets the description."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, _
from bot.offers import CANCEL
from bot.store import agreements, members
from bot.turn import Turn

likes = Conversation("likes", words=N_("text and voice, voice and text"))

SAID = {
    "reads": _("When a voice note is written down after it came to you, you get the text too."),
    "described": _("When a photo is described after it came to you, you get the words too."),
    "listens": _("Voice notes and photos come as they are, and no words follow."),
}


@likes.start
def start(turn: Turn) -> None:
    choices = [
        Choice("reads", _("I rather read")),
        Choice("described", _("Describe photos")),
        Choice("listens", _("As they come")),
        CANCEL,
    ]
    if agreements.find(turn.db, turn.member.id) is not None:
        choices.insert(3, Choice("voice", _("My voice to text")))
    turn.ask(_("How do you like voice notes and photos?"), choices=choices, then=chosen)


@likes.step
def chosen(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    if turn.choice == "voice":
        return turn.start("voice.start")
    wanted = turn.choice or "listens"
    members.mark(turn.db, turn.member.id, likes=None if wanted == "listens" else wanted)
    turn.say(SAID[wanted], choices=(Choice("likes.start", _("Change it again")),))
