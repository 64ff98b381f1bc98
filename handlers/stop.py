"""Stop and start: silence at any moment, and back again."""

from __future__ import annotations

from bot import digests
from bot.conversation import Conversation
from bot.i18n import guess_language
from bot.messages import N_, Text, _
from bot.store import members, presence, tallies
from bot.turn import Turn

stop = Conversation(
    "stop",
    command="stop",
    about=_("Get no more messages"),
    words=N_(
        "stop, stop all, stopall, stop it, stop messages, stop sending, stop please, please stop, "
        "s t o p, s.t.o.p, unsubscribe, end, quit, opt out"
    ),
    anywhere=True,
)

start_ = Conversation(
    "start",
    command="start",
    words=N_("start, start again, start messages, unstop, subscribe"),
    anywhere=True,
)


@stop.start
def start(turn: Turn) -> None:
    """Said once; whoever says it again is left in peace."""
    if turn.member.state not in ("new", "active"):
        return
    members.mark(turn.db, turn.member.id, state="stopped")
    tallies.forget(turn.db, "stopped", turn.member.id)
    if turn.talk is not None:
        turn.answer(turn.talk)
        turn.talk.beneath = None
    turn.say(
        _understood(
            turn, _("No more messages from now on. Write START when you would like them again.")
        )
    )


@stop.on("stopped")
def still_stopped(turn: Turn) -> None:
    """She wrote something else while she is stopped: it must not vanish without a word."""
    if tallies.take(turn.db, "stopped", turn.member.id, 1, presence.REMINDED, turn.now):
        said = _(
            "Messages are stopped at the moment, so this was not passed on. "
            "Write START to come back."
        )
        turn.say(_understood(turn, said))


@start_.start
def resume(turn: Turn) -> None:
    paused_until = turn.member.paused_until
    paused = paused_until is not None and paused_until > turn.now
    if turn.member.state == "stopped" or (turn.member.state == "active" and paused):
        _come_back(turn)
    elif turn.member.state == "new":
        if turn.talk is None:
            turn.conversations.events["stranger"](turn)
    else:
        turn.start("menu.start")


def _come_back(turn: Turn) -> None:
    """Where she was: her groups, her role, what she has set; a pause is over too."""
    if turn.member.state == "stopped":
        members.resume(turn.db, turn.member.id)
    members.mark(turn.db, turn.member.id, paused_until=None)
    digests.look_again(turn.db, turn.member.id, turn.now, gathered_too=True)
    turn.say(_understood(turn, _("Good to have you back. You get messages again.")))


def _understood(turn: Turn, text: Text) -> Text:
    """Who has not chosen a language yet is answered in the one she writes."""
    guessed = None if turn.member.language else guess_language(turn.text)
    return Text(text.msgid, text.params, language=guessed) if guessed else text
