"""Concealing: a facilitator hides a story of her community; its teller keeps it, and hears why."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.desk import find_place, note
from bot.hiding import CHOICES, REASONS, WHY
from bot.messages import Choice, Ref, Text, _
from bot.offers import CANCEL
from bot.store import communities, stories
from bot.store.audiences import Audience
from bot.store.communities import Community
from bot.store.stories import Story
from bot.stories import agreement
from bot.turn import Turn

LISTED = 6  # stories in one list
LINE = 60  # graphemes of each
SHOWN = 200  # of the one to be hidden

concealing = Conversation("concealing")


@concealing.action
def begin(turn: Turn) -> None:
    """Which of those that her community may read."""
    place = find_place(turn, turn.argument, "hide")
    if place is not None:
        _list(turn, place, 0)


@concealing.action
def older(turn: Turn) -> None:
    """Before the one of the button."""
    last = stories.find(turn.db, turn.argument)
    place = None if last is None else find_place(turn, last.community_id, "hide")
    if last is not None and place is not None:
        _list(turn, place, last.id)


def _list(turn: Turn, place: Community, before: int) -> None:
    found = stories.list_told(turn.db, place.id, LISTED + 1, before)
    if not found:
        return turn.say(_("There is nothing more here."))
    shown = found[:LISTED]
    choices = [
        Choice(f"concealing.ask:{each.id}", _("Story {number}", number=each.id)) for each in shown
    ]
    if len(found) > LISTED:
        choices.append(Choice(f"concealing.older:{shown[-1].id}", _("Earlier ones")))
    turn.say(
        _("Which one shall be hidden?"),
        *(_line(turn, each, LINE) for each in shown),
        choices=choices,
    )


def _line(turn: Turn, story: Story, most: int) -> Text:
    first = stories.list_parts(turn.db, story.id)[0]
    return _("Story {number}: {post}", number=story.id, post=Ref("posts", first.post_id, most))


@concealing.action
def ask(turn: Turn) -> None:
    if _find(turn, turn.argument) is not None:
        turn.data = {"story": turn.argument}
        turn.ask(WHY, choices=CHOICES, then=why)


def _find(turn: Turn, story_id: int) -> Story | None:
    """One that may be read where she facilitates; else she is told that it may not."""
    found = stories.find_told(turn.db, story_id)
    if found is not None:
        here = (turn.db, turn.member.id, found.community_id, "hide", turn.now)
        if communities.find_where(*here) is not None:
            return found
    turn.start("selection.gone")
    return None


@concealing.step
def why(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _find(turn, turn.data["story"])
    if found is None:
        return
    turn.data["reason"] = turn.choice
    turn.ask(
        _line(turn, found, SHOWN),
        _(
            "Hide it? Nobody reads it here any more, it leaves every choice and every new file; "
            "its teller keeps it."
        ),
        choices=(Choice("hide", _("Hide it")), CANCEL),
        then=confirm,
    )


@concealing.step
def confirm(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = _find(turn, turn.data["story"])
    if found is None:
        return
    said = agreement.hide(turn, found)
    note(turn, "stories.hide", found.community_id, found.id)
    if found.member_id != turn.member.id:
        _tell_teller(turn, found)
    turn.say(_("Hidden."), *said)


def _tell_teller(turn: Turn, story: Story) -> None:
    """Of no community: she hears it even if she has left."""
    turn.tell(
        Audience("member", story.member_id or 0),
        _(
            "A facilitator has hidden your story {number}. The reason: {reason}.",
            number=story.id,
            reason=REASONS[turn.data["reason"]],
        ),
        # NOTE: use your own words for MY STORIES
        _("You keep it under MY STORIES. You can ask the facilitator about it."),
        once=f"story/hidden/{story.id}",
    )
