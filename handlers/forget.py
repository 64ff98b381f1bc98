"""Forget me: what goes and what stays, her choice, one confirmation, a last word."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, Text, _
from bot.offers import CANCEL
from bot.store import addresses, forgetting
from bot.turn import Turn

forget = Conversation(
    "forget",
    command="forget",
    about=_("Have everything about you erased"),
    words=N_("forget me, erase me, delete my data"),
    anywhere=True,
)


@forget.start
def start(turn: Turn) -> None:
    """Not by somebody who held her phone for a minute: neither from there nor from a new app."""
    if turn.sender.is_fresh(turn.now) and len(addresses.list_of(turn.db, turn.member.id)) > 1:
        return turn.say(_("This app was linked lately. Please do it in your other app."))
    turn.start("secret.ask", then="forget.begin")


@forget.action
def begin(turn: Turn) -> None:
    """Who is no member yet has written nothing that others have."""
    turn.data = {}
    said = [
        _("If you wish, I forget you."),
        _(
            "What goes: your name, your number, your organisation, your groups, what you follow, "
            "and all that was said between you and me."
        ),
        *_staying(turn),
        _on_this_phone(turn),
    ]
    if turn.member.state == "new":
        return _confirm(turn, *said)
    turn.ask(
        *said,
        _(
            "Shall what you wrote to your groups stay there, as words of a former member, "
            "or go too?"
        ),
        choices=(Choice("stay", _("My posts stay")), Choice("go", _("My posts go too")), CANCEL),
        then=posts,
    )


def _staying(turn: Turn) -> list[Text]:
    if turn.member.state == "new":
        return []
    return [
        _(
            "What stays: what others have on their phones already; what you reported, with the "
            "focal points, without you; and a note that something was done, with a number "
            "nobody can read."
        )
    ]


def _on_this_phone(turn: Turn) -> Text:
    limits = turn.limits.get(turn.inbound.lane)
    if limits is None or limits.retract is None:
        return _("This chat stays on your phone until you delete it there.")
    return _("In this chat the last two days vanish; what is older you can delete in the app.")


@forget.step
def posts(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    turn.data["posts"] = turn.choice
    if turn.choice == "go":
        return _confirm(
            turn,
            _("What you wrote goes too: others then read that it was taken back."),
            _("What you asked without your name goes at the same moment: who watches may guess."),
        )
    _confirm(turn, _("What you wrote stays, as words of a former member."))


def _confirm(turn: Turn, *said: Text) -> None:
    turn.ask(
        *said,
        _("This cannot be undone. Shall I forget you now?"),
        choices=(Choice("yes", _("Yes, forget me")), CANCEL),
        then=confirm,
    )


@forget.step
def confirm(turn: Turn) -> None:
    """From here on she is a stranger; bot/erasing.py does the rest as soon as this has left."""
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    assert turn.talk is not None
    turn.talk.beneath = None
    posts_too = turn.data.get("posts") == "go"
    forgetting.begin(turn.db, turn.member.id, turn.now, posts_too=posts_too)
    turn.say(
        _(
            "Within a minute you are forgotten here. Thank you for what you shared, and all the "
            "best. If you write again, we begin anew."
        )
    )
