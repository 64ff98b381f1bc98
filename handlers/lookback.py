"""Looking back: what she said a month ago comes back once, if she would like that."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import lookback
from bot.conversation import Conversation
from bot.lookback import still_true
from bot.messages import Choice, Ref, Text, _
from bot.scheduler import Counts, Progress, job
from bot.store import members, reflections
from bot.store.reflections import Reflection
from bot.turn import Turn

ASKED_AFTER = 3  # reflections

SHALL_I = _(
    "Shall I bring back what you said a month ago? Once each, in the morning, to you alone."
)

lookback_ = Conversation("lookback")


@job(every=timedelta(minutes=15))
def bring_back(db: Connection, now: datetime) -> Counts | Progress:
    """What was kept a month ago, one on a morning."""
    return lookback.bring_back(db, now)


# Whether she wants it ----------------------------------------------------------------------------


@lookback_.action
def offer(turn: Turn) -> None:
    """Asked once, when there is something to look back at."""
    if reflections.wants_back(turn.db, turn.member.id) is not None:
        return
    if reflections.count_own(turn.db, turn.member.id) < ASKED_AFTER:
        return
    members.mark(turn.db, turn.member.id, looks_back=False)
    turn.say(SHALL_I, choices=_YES_OR_NO)


_YES_OR_NO = (Choice("lookback.yes", _("Yes")), Choice("lookback.no", _("No")))


@lookback_.start
def start(turn: Turn) -> None:
    """In the settings."""
    wanted = reflections.wants_back(turn.db, turn.member.id)
    now = _("It is on now.") if wanted else _("It is off now.")
    turn.say(SHALL_I, now, choices=_YES_OR_NO)


@lookback_.action
def yes(turn: Turn) -> None:
    members.mark(turn.db, turn.member.id, looks_back=True)
    # NOTE: use your own word for SETTINGS
    turn.say(_("All right, it comes back after a month. SETTINGS changes it."))


@lookback_.action
def no(turn: Turn) -> None:
    members.mark(turn.db, turn.member.id, looks_back=False)
    # NOTE: use your own word for SETTINGS
    turn.say(_("All right, nothing comes back. SETTINGS changes it."))


# When it has come back ---------------------------------------------------------------------------


@lookback_.action
def show(turn: Turn) -> None:
    turn.start("secret.ask", then="lookback.open_one")


@lookback_.action
def open_one(turn: Turn) -> None:
    found = _hers(turn)
    if found is None:
        return turn.start("reflections.gone")
    words = _("{post}", post=Ref("referred", found.post_id))
    turn.say(words, choices=still_true(found.id))


@lookback_.action
def true(turn: Turn) -> None:
    _answer(turn, _("Good to know. It stays as you said it."))


@lookback_.action
def over(turn: Turn) -> None:
    _answer(turn, _("All right. It stays with what you said before."))


@lookback_.action
def changed(turn: Turn) -> None:
    found = _hers(turn)
    if found is None:
        return turn.start("reflections.gone")
    turn.start("reflect.anew", earlier=found.id)


def _answer(turn: Turn, said: Text) -> None:
    if _hers(turn) is None:
        return turn.start("reflections.gone")
    turn.say(said, choices=(Choice("lookback.no", _("No more of these")),))


def _hers(turn: Turn) -> Reflection | None:
    found = reflections.find_own(turn.db, turn.member.id, turn.argument)
    return None if found is None or not turn.sender.knows(found.created_at) else found
