"""Profile: the name and the organisation that others see."""

from __future__ import annotations

from bot import naming
from bot.conversation import Conversation
from bot.i18n import tidy_name
from bot.messages import N_, Choice, Ref, _
from bot.store import members
from bot.turn import Turn

profile = Conversation("profile", words=N_("my name, change my name"))

KEEP = Choice("keep", _("Keep it"))


@profile.start
def start(turn: Turn) -> None:
    name(turn)


@profile.action
def name(turn: Turn) -> None:
    turn.ask(
        _(
            "Others see you as {name}. Which name shall they see? It need not be your own.",
            name=Ref("members", turn.member.id),
        ),
        choices=(KEEP,),
        then=renamed,
        free=True,
    )


@profile.step
def renamed(turn: Turn) -> None:
    if turn.choice:
        return turn.say(_("All right, nothing was changed."))
    chosen = tidy_name(turn.text)
    fault = naming.fault(chosen)
    if fault is not None:
        return turn.again(fault)
    members.mark(turn.db, turn.member.id, name=chosen)
    turn.say(
        _(
            "From now on others see you as {name}; nobody is told. "
            "What is on phones already keeps the old name.",
            name=Ref("members", turn.member.id),
        ),
        choices=(Choice("profile.name", _("Change it again")),),
    )


@profile.action
def organisation(turn: Turn) -> None:
    turn.ask(
        _("Which organisation do you work with?"),
        choices=(Choice("none", _("None")), KEEP),
        then=moved,
        free=True,
    )


@profile.step
def moved(turn: Turn) -> None:
    again = (Choice("profile.organisation", _("Change it again")),)
    if turn.choice == "keep":
        return turn.say(_("All right, nothing was changed."))
    if turn.choice == "none":
        members.mark(turn.db, turn.member.id, organisation=None)
        return turn.say(_("No organisation stands beside your name now."), choices=again)
    chosen = tidy_name(turn.text, 80)
    fault = naming.fault(chosen)
    if fault is not None:
        return turn.again(fault)
    members.mark(turn.db, turn.member.id, organisation=chosen)
    turn.say(
        _("Your organisation is now {name}.", name=Ref("organisations", turn.member.id)),
        choices=again,
    )
