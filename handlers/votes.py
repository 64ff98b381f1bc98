"""Hands: one each, moved as often as she likes until they are counted; nobody sees whose."""

from __future__ import annotations

from bot import deadlines
from bot.conversation import Conversation
from bot.desk import note
from bot.messages import Choice, _
from bot.offers import CANCEL
from bot.store import communities, proposals
from bot.store.proposals import Proposal
from bot.turn import Turn

votes = Conversation("votes")


def _lock(turn: Turn, proposal_id: int) -> Proposal | None:
    """As it is until the end of this turn; None: she was told what became of it."""
    found = proposals.find_for(turn.db, proposal_id, turn.member.id)
    found = None if found is None else proposals.lock(turn.db, proposal_id)
    if found is None:
        turn.start("proposals.gone")
        return None
    if found.takes_hands(turn.now):
        return found
    turn.argument = found.id
    if found.thread_id is None:
        turn.say(_("The time for this is over. I count the hands and tell everybody."))
    else:
        turn.say(_("The hands are counted already. This came of it:"))
        turn.start("drafting.show")
    return None


@votes.action
def raise_hand(turn: Turn) -> None:
    idea = proposals.find_idea(turn.db, turn.argument)
    if idea is None:
        return turn.say(_("That idea was taken back. Your hand stays where it is."))
    found = _lock(turn, idea.proposal_id)
    if found is None:
        return
    proposals.raise_hand(turn.db, idea, turn.member.id)
    number = proposals.count_ideas(turn.db, found.id, idea.id)
    turn.say(
        _(
            "Your hand is up for idea {number}. Until {at} you can move it; nobody sees whose "
            "hand is where.",
            number=number,
            at=found.closes_at,
        ),
        choices=(
            Choice(f"ideas.show:{found.id}", _("See the ideas")),
            Choice(f"votes.lower:{found.id}", _("Lower my hand")),
        ),
    )


@votes.action
def lower(turn: Turn) -> None:
    found = _lock(turn, turn.argument)
    if found is None:
        return
    proposals.lower_hand(turn.db, found.id, turn.member.id)
    turn.say(
        _("Your hand is down. You can raise it again for any idea."),
        choices=(Choice(f"ideas.show:{found.id}", _("See the ideas")),),
    )


# Another day -----------------------------------------------------------------------------------


def _leads(turn: Turn, proposal: Proposal) -> bool:
    """Who opened it, or facilitates there."""
    if proposal.opened_by == turn.member.id:
        return True
    here = (turn.db, turn.member.id, proposal.community_id, "close", turn.now)
    return not turn.sender.is_fresh(turn.now) and communities.find_where(*here) is not None


@votes.action
def days(turn: Turn) -> None:
    """Longer, or over now; never shorter, since somebody may count on the day that was told."""
    found = _lock(turn, turn.argument)
    if found is None:
        return
    if not _leads(turn, found):
        return turn.start("facilitate.refuse", community=found.community_id)
    turn.data = {"proposal": found.id}
    turn.ask(
        _(
            "Ideas and hands: until {at}. Shall there be more time? You can also write a later "
            "day.",
            at=found.closes_at,
        ),
        choices=(Choice("7", _("One week more")), Choice("14", _("Two weeks more")), CANCEL),
        then=later,
        free=True,
    )


@votes.step
def later(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _lock(turn, turn.data["proposal"])
    if found is None:
        return
    if not _leads(turn, found):
        return turn.start("facilitate.refuse", community=found.community_id)
    at = deadlines.read(turn, found.closes_at)
    if at is None:
        return
    proposals.change(turn.db, found.id, closes_at=at, next_at=turn.now)
    if found.opened_by != turn.member.id:
        note(turn, "proposal.longer", found.community_id, found.id)
    turn.say(
        _("Ideas and hands: until {at}.", at=at),
        choices=(Choice(f"ideas.show:{found.id}", _("See the ideas")),),
    )
