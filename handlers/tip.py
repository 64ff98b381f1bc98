"""Tip: one at once, for whoever would like more than comes by itself."""

from __future__ import annotations

import hashlib
from itertools import chain

from bot.conversation import Conversation
from bot.messages import N_, Choice, _
from bot.store import communities, contents, opinions
from bot.store.contents import Content
from bot.turn import Turn

tip = Conversation(
    "tip", command="tip", about=_("A tip, at once"), words=N_("tip, tips, a tip, another tip")
)


@tip.start
def start(turn: Turn) -> None:
    """One that she has no opinion on yet, if there is any."""
    judged = opinions.list_judged(turn.db, turn.member.id)
    known = _tips(turn)
    found = [each for each in known if each.id not in judged] or known
    if not found:
        return turn.say(_("There is no tip at the moment."))
    # As if by lot, and the same again if this turn is run again.
    _show(turn, found[turn.inbox_id % len(found)])


@tip.action
def another(turn: Turn) -> None:
    """The one after that which the button belongs to."""
    found = _tips(turn)
    at = next((n for n, each in enumerate(found) if each.id == turn.argument), -1)
    if not [each for each in found if each.id != turn.argument]:
        return turn.say(_("There is no other tip at the moment."))
    _show(turn, found[(at + 1) % len(found)])


def _tips(turn: Turn) -> list[Content]:
    """What may be said in her communities, in an order of her own."""
    mine = [each for each in communities.list_of(turn.db, turn.member.id) if each.is_active]
    lists = (contents.list_for(turn.db, each.community.id, "tip") for each in mine)
    found = {each.id: each for each in chain.from_iterable(lists)}
    return sorted(found.values(), key=lambda each: _place(turn.member.id, each.id))


def _place(member_id: int, content_id: int) -> bytes:
    return hashlib.sha256(f"{member_id}/{content_id}".encode()).digest()


def _show(turn: Turn, content: Content) -> None:
    turn.say(
        _("{tip}", tip=content.ref),
        choices=(
            Choice(f"opinions.useful:{content.id}", _("Useful")),
            Choice(f"opinions.not_for_me:{content.id}", _("Not for me")),
            Choice(f"tip.another:{content.id}", _("Another tip")),
        ),
    )
