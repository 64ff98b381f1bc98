"""Exchange visits: sessions at an organisation, with seats for each and a list of what to bring."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.i18n import fold, graphemes, word_list
from bot.messages import N_, Choice, Ref, _
from bot.offers import CANCEL
from bot.sessions import calling, visiting
from bot.smalltalk import has_words, is_small
from bot.store import sessions
from bot.store.sessions import PLANNED, Session
from bot.turn import Turn

NAME, LIST = 80, 400  # graphemes, at most
MOST = 100  # of one organisation
ALL = N_("all, everybody")

visits = Conversation(
    "visits",
    command="visit",
    about=_("Plan an exchange visit"),
    words=N_("visit, exchange visit, plan a visit"),
)


@visits.start
def start(turn: Turn) -> None:
    turn.data = {}
    turn.ask(
        _("Which organisation would you visit together? It can also be your own, as the host."),
        then=organisation,
    )


@visits.step
def organisation(turn: Turn) -> None:
    said = " ".join(turn.text.split())
    if not has_words(said) or is_small(said):
        return turn.again(_("Please write the name of the organisation."))
    if graphemes(said) > NAME:
        return turn.again(_("That is too long for a name. Please write it shorter."))
    turn.data["organisation"] = said
    turn.ask(
        _(
            "How many people of each organisation can come? Write a number, like 2, "
            "or ALL if as many can come as like."
        ),
        then=seats,
    )


@visits.step
def seats(turn: Turn) -> None:
    typed = fold(turn.text)
    number = int(typed) if typed.isdecimal() and len(typed) <= 3 else 0
    if typed not in word_list(ALL) and not 1 <= number <= MOST:
        return turn.again(_("Please write a number, like 2, or ALL."))
    if number:
        turn.data["seats_each"] = number
    turn.ask(
        _("What is good to bring? Write a list, like: a hat, water, one thing you make."),
        choices=(Choice("skip", _("Skip")),),
        then=packing,
        free=True,
    )


@visits.step
def packing(turn: Turn) -> None:
    if turn.choice is None:
        if not _fits(turn):
            return
        turn.data["packing"] = turn.text
    turn.start("session.start", kind=visiting.VISIT, minutes=visiting.USUAL_LENGTH, **turn.data)


def _fits(turn: Turn) -> bool:
    if not has_words(turn.text) or is_small(turn.text):
        turn.again(_("Please write in a few words what people shall bring."))
    elif graphemes(turn.text) > LIST:
        turn.again(_("That is too long for one message. Please make it shorter."))
    else:
        return True
    return False


# What to bring, later ---------------------------------------------------------------------------


def _mine(turn: Turn, session_id: int) -> Session | None:
    """A visit ahead that she holds."""
    found = sessions.find_for(turn.db, session_id, turn.member.id)
    if found is None or not found.is_led_by(turn.member.id):
        turn.start("signup.gone")
        return None
    if found.state != PLANNED or found.starts_at <= turn.now:
        turn.say(_("It has begun, or was called off; the list stays as it is."))
        return None
    return found


@visits.action
def bring(turn: Turn) -> None:
    """[What to bring], of who holds it."""
    found = _mine(turn, turn.argument)
    if found is None:
        return
    turn.data = {"session": found.id}
    before = [_("Please bring: {packing}", packing=Ref("packings", found.id))]
    turn.ask(
        *(before if found.packing else []),
        _("Please write the list anew. Those who come are told once."),
        choices=(CANCEL,),
        then=listed,
        free=True,
    )


@visits.step
def listed(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _mine(turn, turn.data["session"])
    if found is None or not _fits(turn):
        return
    if turn.text != found.packing:
        sessions.change(turn.db, found.id, turn.now, packing=turn.text)
        calling.changed(turn.db, turn.now, found.id, {"packing"}, but=(turn.member.id,))
    turn.say(
        _("Done. Those who come hear it."),
        choices=(Choice(f"sessions.show:{found.id}", _("Details")),),
    )
