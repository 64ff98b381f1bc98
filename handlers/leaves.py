"""My leaves: the happy moments she has hung up, and taking one down again."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, Ref, _
from bot.offers import CANCEL
from bot.store import leaves as hung
from bot.truth import remaining
from bot.turn import Turn

LISTED = 6  # leaves in one list
LINE = 80  # graphemes of each

leaves = Conversation("leaves", words=N_("my leaves"))


@leaves.start
def start(turn: Turn) -> None:
    """Behind her secret word, if she has one."""
    turn.start("secret.ask", then="leaves.list_mine")


@leaves.action
def older(turn: Turn) -> None:
    turn.start("secret.ask", then="leaves.list_mine")


@leaves.action
def list_mine(turn: Turn) -> None:
    """The latest, or those before the one of the button; none from before her app was linked."""
    every = hung.list_own(turn.db, turn.member.id, LISTED + 1, turn.argument)
    found = [each for each in every if turn.sender.knows(each.created_at)]
    if not found:
        return turn.say(
            _("There are no leaves of yours here."),
            choices=(Choice("happy.start", _("Share a happy moment")),),
        )
    shown = found[:LISTED]
    lines = [
        _("{number}. {post}", number=number, post=Ref("leaves", each.id, LINE))
        for number, each in enumerate(shown, 1)
    ]
    choices = [
        Choice(f"leaves.take_down:{each.id}", _("Take down {number}", number=number))
        for number, each in enumerate(shown, 1)
    ]
    if len(found) > LISTED:
        choices.append(Choice(f"leaves.older:{shown[-1].id}", _("Earlier ones")))
    turn.say(_("Your leaves:"), *lines, choices=choices)


@leaves.action
def take_down(turn: Turn) -> None:
    found = hung.find_own(turn.db, turn.member.id, turn.argument)
    if found is None or not turn.sender.knows(found.created_at):
        return turn.start("tree.gone")
    turn.data = {"leaf": found.id}
    turn.ask(
        _("{post}", post=Ref("leaves", found.id, LINE)),
        _("Take this leaf down? It is gone from the next picture."),
        choices=(Choice("yes", _("Take it down")), CANCEL),
        then=confirm,
    )


@leaves.step
def confirm(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    found = hung.find_own(turn.db, turn.member.id, turn.data["leaf"])
    if found is None:
        return turn.start("tree.gone")
    copies = turn.take_back(found.id, None, turn.member.id)
    hung.take_down(turn.db, found.id)
    turn.say(_("It is taken down."), *remaining(copies))
