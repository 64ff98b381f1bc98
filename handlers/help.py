"""Help: what this is, who sees what, how to stop."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Text, _
from bot.store import communities, programmes
from bot.turn import Turn

help_ = Conversation(
    "help",
    command="help",
    about=_("How it works, and who sees what"),
    words=N_("help, how does it work"),
    anywhere=True,
)


@help_.start
def start(turn: Turn) -> None:
    turn.say(
        _(
            "Write a question, and your peers answer. "
            "To answer one, reply to its message or write its number and your answer."
        ),
        _("Write MENU for all you can do, CANCEL to end something, STOP to get no more messages."),
        _("Peers see the name you chose and what you send. No member sees your number."),
        _(
            "SETTINGS: your language, your name, how much comes and when. "
            "REPORT: tell of something that worries you, safely. "
            "GET HELP NOW: whom to call."
        ),
        *_in_her_groups(turn),
        _(
            "Do others see this phone? Write DISCREET: "
            "then messages stay closed until you open them."
        ),
    )
    for contact in programmes.list_contacts(turn.db)[:1]:
        turn.say(_("If you are stuck, ask {contact}.", contact=contact))


def _in_her_groups(turn: Turn) -> list[Text]:
    """What there is for who takes part, and for who facilitates."""
    mine = communities.list_of(turn.db, turn.member.id)
    said = []
    if any(each.may("answer", turn.now) for each in mine):
        said.append(
            _(
                "Each week a tip and a question may come. To answer the question, reply to it; "
                "leaving it is fine too. TIP brings a tip at once, MY ANSWERS shows what you said."
            )
        )
    if any(each.may("brief", turn.now) for each in mine):
        said.append(
            _(
                "You facilitate. FACILITATE: a group and all you can do there. "
                "BRIEF: what your groups may need. RHYTHM: what goes out each week. "
                "WORDING: say a sentence in your own words."
            )
        )
    return said
