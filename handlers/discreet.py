"""Discreet: a phone that tells nothing unasked; see what waits, and empty the screen again."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, _
from bot.store import communities, members, notices, waiting
from bot.turn import Turn

open_ = Conversation(
    "open",
    command="open",
    about=_("Show what waits"),
    words=N_("open, show what waits"),
    anywhere=True,
)
clear_ = Conversation(
    "clear",
    command="clear",
    about=_("Empty this screen"),
    words=N_("clear, clear chat"),
    anywhere=True,
)
discreet = Conversation("discreet", command="discreet", words=N_("discreet, private"))


@open_.start
def open_waiting(turn: Turn) -> None:
    show(turn)


@clear_.start
def clear_screen(turn: Turn) -> None:
    clear(turn)


@discreet.action
def show(turn: Turn) -> None:
    """What was held back goes out; then the question that was open, if there is one."""
    opened = notices.open_waiting(turn.db, turn.address_id, turn.now)
    if not opened and waiting.list_of(turn.db, turn.address_id, turn.now):
        return turn.start("waiting.show")
    if turn.talk is not None:
        turn.say(_("This is where you were:"))
    elif not opened:
        turn.say(_("Nothing waits for you just now."))


@discreet.action
def clear(turn: Turn) -> None:
    """The last bubble tells nothing; a question that is open waits without being shown again."""
    if turn.talk is not None:
        turn.answer(turn.talk)
        turn.wait()
    notices.close_again(turn.db, turn.address_id, turn.inbound.lane)
    if turn.empty_chat():
        turn.say(_("Done. What is older than two days you can delete in the app itself."))
    else:
        turn.say(
            _(
                "Messages here can only be deleted by you. "
                "In WhatsApp open the menu of this chat, then More, then Clear chat."
            )
        )


@discreet.start
def start(turn: Turn) -> None:
    turn.ask(
        _(
            "Messages can stay closed until you open them: "
            "whoever sees this phone reads only that one waits."
        ),
        choices=(
            Choice("closed", _("Keep them closed")),
            Choice("shown", _("Show them at once")),
        ),
        then=chosen,
    )


@discreet.step
def chosen(turn: Turn) -> None:
    if turn.choice == "closed":
        members.mark(turn.db, turn.member.id, discreet=True)
        return turn.say(
            _(
                "From now on you only read here that something waits. "
                "Write OPEN to read it, and CLEAR to empty this screen."
            )
        )
    if communities.is_in_discreet(turn.db, turn.member.id):
        return turn.say(_("A group of yours needs them closed, so that nobody in it is exposed."))
    members.mark(turn.db, turn.member.id, discreet=False)
    notices.open_waiting(turn.db, turn.address_id, turn.now)
    turn.say(_("From now on messages are shown at once. Write DISCREET to close them again."))
