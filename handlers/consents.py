"""Consent: who may read a story, and how its teller is named there, asked for each use."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import Choice, _
from bot.store import communities, presence, stories
from bot.store.consents import COMMUNITY, USES
from bot.store.stories import HIDDEN, TOLD, Story
from bot.stories import agreement, tale
from bot.turn import Turn

consents = Conversation("consents")


@consents.action
def begin(turn: Turn) -> None:
    """First of all: are there others in it?"""
    found = _hers(turn, turn.argument)
    if found is None:
        return
    turn.data = {"story": found.id, "hows": {}}
    turn.ask(
        _(
            "Are other people in it, in words, recordings or pictures? "
            "Do they agree that it is told?"
        ),
        choices=(
            Choice("none", _("It is only about me")),
            Choice("agreed", _("Yes, all agree")),
            Choice("asking", _("Not asked yet")),
            Choice("no", _("Not all agree")),
        ),
        then=others,
    )


def _hers(turn: Turn, story_id: int) -> Story | None:
    """One that she may tell; else she hears why not."""
    found = stories.find_hers(turn.db, story_id, turn.member.id)
    if found is None or not turn.sender.knows(found.created_at):
        turn.start("mystories.gone")
        return None
    if found.state == HIDDEN:
        turn.say(tale.HIDDEN)
        return None
    return found


@consents.step
def others(turn: Turn) -> None:
    found = _hers(turn, turn.data["story"])
    if found is None:
        return
    asking = turn.choice in ("asking", "no")
    stories.mark(turn.db, found.id, others="asking" if asking else turn.choice)
    if not asking:
        return _ask(turn, found, COMMUNITY)
    said = agreement.apply(turn, found, {})
    turn.say(
        _(
            "Then it stays with you alone. It is good that you think of them; "
            "when they have agreed, you find it under MY STORIES."
        ),
        *said,
        choices=(tale.MINE,),
    )


def _ask(turn: Turn, story: Story, use: str) -> None:
    if not _may_tell(turn, story):
        return
    turn.data["use"] = use
    place = communities.get(turn.db, story.community_id)
    has = presence.get(turn.db, turn.member.id).organisation
    turn.ask(
        tale.may(use),
        *(agreement.warnings(turn, story) if use == COMMUNITY else []),
        choices=tale.ways(organisation=bool(has) and not place.discreet),
        then=may,
    )


def _may_tell(turn: Turn, story: Story) -> bool:
    """What a group reads already stays hers to change; a group she has left gets nothing new."""
    there = (turn.db, turn.member.id, story.community_id, "ask", turn.now)
    if story.state == TOLD or communities.find_where(*there) is not None:
        return True
    turn.say(_("You are not in that group any more, so nothing was sent."))
    return False


@consents.step
def may(turn: Turn) -> None:
    """The next wider use is asked only if this one is agreed to."""
    found = _hers(turn, turn.data["story"])
    if found is None:
        return
    use = turn.data["use"]
    if turn.choice != "no":
        turn.data["hows"] = {**turn.data["hows"], use: turn.choice}
        wider = USES[USES.index(use) + 1 :]
        if wider:
            return _ask(turn, found, wider[0])
    _finish(turn, found)


def _finish(turn: Turn, story: Story) -> None:
    hows = turn.data["hows"]
    if hows and not _may_tell(turn, story):
        return
    said = agreement.apply(turn, story, hows)
    if not hows:
        return turn.say(
            _("It stays with you alone. You find it under MY STORIES."),
            *said,
            choices=(tale.MINE,),
        )
    turn.say(
        _("Thank you. So it is agreed for story {number}:", number=story.id),
        *tale.agreed(hows),
        *said,
        _("You can change this or take the story back at any time: write MY STORIES."),
        choices=(tale.MINE,),
    )
