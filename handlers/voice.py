"""Voice into text by a service outside: only who agrees, and as long as she does."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, Text, _
from bot.store import agreements, transcripts
from bot.store.agreements import Agreement
from bot.turn import Turn

voice = Conversation("voice", words=N_("my voice, voice into text"))

_NOWHERE = _("Your voice goes to no computer outside.")


@voice.start
def start(turn: Turn) -> None:
    """How it is now, with the way to change it."""
    found = agreements.find(turn.db, turn.member.id)
    if found is None:
        return turn.say(_NOWHERE)
    turn.say(
        _goes_to(found) if found.answer == "yes" else _NOWHERE,
        _(
            "May your voice notes be turned into text by a computer of {service}?",
            service=found.service,
        ),
        choices=(
            Choice(f"voice.agree:{agreements.number_of(found.service)}", _("Yes")),
            Choice("voice.refuse", _("No")),
        ),
    )


def _goes_to(found: Agreement) -> Text:
    return _(
        "Your voice notes go to a computer of {service}, which turns them into text. "
        "What you say without your name, and reports, never go there.",
        service=found.service,
    )


@voice.action
def agree(turn: Turn) -> None:
    """To what she has read: below a question about another service she is asked about this one."""
    asked = agreements.find(turn.db, turn.member.id)
    if asked is not None and agreements.number_of(asked.service) != turn.argument:
        return start(turn)
    found = agreements.answer(turn.db, turn.member.id, "yes", turn.now)
    if found is None:
        return turn.say(_NOWHERE)
    transcripts.release(turn.db, turn.member.id, turn.now)
    turn.say(
        _("Thank you. You get each text, and can correct it or take it away."),
        _goes_to(found),
        _("Write MY VOICE to change it."),
    )


@voice.action
def refuse(turn: Turn) -> None:
    """Or withdraw: what waits goes nowhere; texts that stand there are hers to take away."""
    found = agreements.answer(turn.db, turn.member.id, "no", turn.now)
    transcripts.withdraw(turn.db, turn.member.id)
    turn.say(_("All right."), _NOWHERE)
    if found is not None:
        turn.say(_("Write MY VOICE to change it."))


@voice.action
def later(turn: Turn) -> None:
    agreements.answer(turn.db, turn.member.id, "later", turn.now)
    turn.say(_("All right, I ask you another time. Until then your voice goes to nobody outside."))
