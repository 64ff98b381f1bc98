"""Waiting: what was kept while a window was closed is shown, summed up, or left for another day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot import digests
from bot.conversation import Conversation
from bot.messages import _
from bot.store import messages
from bot.store import waiting as waits
from bot.store.waiting import Held
from bot.turn import Turn

AT_ONCE = 10  # the latest; what is before them is summed up
STALE = timedelta(days=7)  # what is older is summed up too

waiting = Conversation("waiting")


@waiting.action
def show(turn: Turn) -> None:
    """All in order; what is old, or too much for one look, in one message above it."""
    turn.opens = False
    found = waits.list_of(turn.db, turn.address_id, turn.now)
    summed_up = _sum_up(turn, _old(turn, found))
    shown = waits.show(turn.db, turn.address_id, turn.now, below=summed_up)
    _settled(turn)
    if turn.talk is not None:
        turn.say(_("This is where you were:"))
    elif not shown and not summed_up:
        turn.say(_("Nothing waits for you just now."))


@waiting.action
def summary(turn: Turn) -> None:
    """One message for all of it; each question can still be read by its number."""
    turn.opens = False
    found = waits.list_of(turn.db, turn.address_id, turn.now)
    if not _sum_up(turn, found):
        return show(turn)
    waits.show(turn.db, turn.address_id, turn.now, below=True)  # what cannot be summed up
    _settled(turn)


@waiting.action
def later(turn: Turn) -> None:
    """It waits on; she is asked again when she writes on another day, as it was put off already."""
    turn.opens = False
    turn.say(_("All right, they wait. Write OPEN whenever you want to read them."))


def _old(turn: Turn, found: Sequence[Held]) -> list[Held]:
    stale = turn.now - STALE
    return [
        each
        for number, each in enumerate(reversed(found))
        if number >= AT_ONCE or each.created_at < stale
    ][::-1]


def _sum_up(turn: Turn, found: Sequence[Held]) -> bool:
    """Say these in one message, in their place; False if there is nothing to say."""
    ids = digests.list_foldable(turn.db, [each.id for each in found]) if found else []
    message = digests.compose(turn.db, ids) if ids else None
    if message is None:
        return False
    here = (turn.address_id, turn.member.id, turn.inbound.lane)
    said = [(f"in{turn.inbox_id}/waiting", message, turn.now)]
    [message_id] = messages.say(turn.db, said, here, turn.now)
    digests.fold(turn.db, ids, message_id)
    return True


def _settled(turn: Turn) -> None:
    if turn.sender.offer_at is not None:
        waits.put_off(turn.db, turn.address_id, None)
