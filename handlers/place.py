"""Place: where a session is; a link is asked about if it cannot work."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.i18n import graphemes
from bot.messages import Choice, _
from bot.sessions import links
from bot.turn import Turn

LONGEST = 300  # graphemes

place_ = Conversation("place")


@place_.action
def ask(turn: Turn) -> None:
    turn.ask(
        _("Where is it? Write a place, a link, a number to call, or the link of a group."),
        choices=(Choice("later", _("Say it later")),),
        then=place,
        free=True,
    )


@place_.step
def place(turn: Turn) -> None:
    """A link is asked about if it cannot work, or if others can read along on its way."""
    if turn.choice == "later":
        turn.data["place"] = None
        return _back(turn)
    if turn.choice == "secured":
        turn.data["place"] = turn.data.pop("link")
        return _back(turn)
    kind, said = links.read(turn.text)
    if not turn.text or graphemes(said) > LONGEST:
        return turn.again(_("Please write in a few words where it is."))
    if kind == links.NONE:
        return turn.again(
            _(
                "This link does not work as it is. "
                "A link begins with {start} and has a name in it.",
                start=links.START,
            )
        )
    if kind == links.OPEN:
        return _ask_secured(turn, links.secured(said))
    turn.data["place"] = said
    _back(turn)


def _ask_secured(turn: Turn, said: str) -> None:
    turn.data["link"] = said
    turn.ask(
        _(
            "This link is not safe: others can read along. Most work with {start} too:",
            start=links.START,
        ),
        _("{link}", link=said),
        choices=(Choice("secured", _("Take this one")), Choice("later", _("Say it later"))),
        then=place,
        free=True,
    )


def _back(turn: Turn) -> None:
    turn.start("session.review", **turn.data)
