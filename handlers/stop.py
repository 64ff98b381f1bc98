"""Stop and start: silence at any moment, and back again."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, _
from bot.store import members
from bot.turn import Turn

stop = Conversation(
    "stop",
    command="stop",
    about=_("Get no more messages"),
    words=N_("stop, stop messages, unsubscribe, quit"),
    anywhere=True,
)

start_ = Conversation("start", command="start", words=N_("start"), anywhere=True)


@stop.start
def start(turn: Turn) -> None:
    if turn.member.state == "stopped":
        return
    members.mark(turn.db, turn.member.id, state="stopped")
    if turn.talk is not None:
        turn.answer(turn.talk)
        turn.talk.beneath = None
    turn.say(_("No more messages from now on. Write START when you would like them again."))


@stop.on("stopped")
def still_stopped(turn: Turn) -> None:
    """She wrote something else while she is stopped: it must not vanish without a word."""
    turn.say(
        _(
            "Messages are stopped at the moment, so this was not passed on. "
            "Write START to come back."
        )
    )


@start_.start
def resume(turn: Turn) -> None:
    if turn.member.state == "stopped":
        members.resume(turn.db, turn.member.id)
        turn.say(_("Good to have you back. You get messages again."))
    elif turn.member.state == "new":
        if turn.talk is None:
            turn.conversations.events["stranger"](turn)
    else:
        turn.start("menu.start")
