"""The menu: what can be done, always reachable; and what to say to a choice that is over."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, _
from bot.store import communities
from bot.turn import Turn

menu = Conversation(
    "menu",
    command="menu",
    about=_("What you can do here"),
    words=N_("menu, list"),
    anywhere=True,
)


@menu.start
def start(turn: Turn) -> None:
    if turn.member.state == "new":
        return turn.start("help.start")
    choices = [
        Choice("ask.start", _("Ask a question")),
        Choice("threads.mine", _("My questions")),
        Choice("menu.share", _("Reflect and share")),
        Choice("sessions.start", _("Sessions")),
        Choice("settings.start", _("Settings")),
        Choice("support.show", _("Get help now")),
        Choice("report.start", _("Report a concern")),
        Choice("help.start", _("Help")),
    ]
    if communities.list_facilitated(turn.db, turn.member.id):
        choices.insert(2, Choice("facilitate.start", _("Facilitate")))
    if turn.member.discreet:
        choices.append(Choice("discreet.clear", _("Clear")))
    turn.say(
        _("What would you like to do? You can also simply write your question."), choices=choices
    )


@menu.action
def share(turn: Turn) -> None:
    """Behind one entry, so that the menu stays a list of ten: more rows no app takes."""
    turn.say(
        _("What would you like to reflect on, or share?"),
        choices=(
            Choice("reflect.start", _("Reflect")),
            Choice("happy.start", _("Share a happy moment")),
            Choice("stories.start", _("Tell a story")),
        ),
    )


@menu.on("stale")
def stale(turn: Turn) -> None:
    """A button of long ago, of somebody else, or one that was answered already."""
    if turn.member.state == "new":
        return turn.start("start.start")
    turn.say(_("That choice is already closed. Here is what you can do now:"))
    if turn.talk is None:
        start(turn)
