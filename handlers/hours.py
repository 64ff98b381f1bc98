"""Quiet hours: when nothing comes but the answer to what she just did."""

from __future__ import annotations

from bot import digests, typed
from bot.conversation import Conversation
from bot.messages import N_, Choice, _
from bot.offers import CANCEL
from bot.sessions import reminding
from bot.store import members, presence
from bot.timing import NEVER, OFFICE, USUAL
from bot.turn import Turn

hours = Conversation("hours", words=N_("hours, quiet hours"))


@hours.start
def start(turn: Turn) -> None:
    turn.ask(
        _(
            "When shall it be quiet? At night: from 20:00 to 07:00. "
            "Office hours only: messages come from 08:00 to 17:00. "
            "Or write the quiet hours, like 21-6 or 21:30-06:00."
        ),
        choices=(
            Choice("usual", _("At night")),
            Choice("office", _("Office hours only")),
            Choice("never", _("No quiet hours")),
            CANCEL,
        ),
        then=chosen,
        free=True,
    )


@hours.step
def chosen(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    offered = {"usual": USUAL, "office": OFFICE, "never": NEVER}
    wanted = offered[turn.choice] if turn.choice else typed.hours(turn.text)
    if wanted is None:
        return turn.again(_("Please write two hours, like 21-6 or 21:30-06:00."))
    start_, end = wanted
    zone = presence.get(turn.db, turn.member.id).timezone
    members.mark(turn.db, turn.member.id, quiet_from=start_, quiet_until=end, timezone=zone)
    digests.look_again(turn.db, turn.member.id, turn.now)
    reminding.look_soon(turn.db, turn.member.id, turn.now)
    if start_ == end:
        said = _("Messages come at any hour now.")
    else:
        said = _(
            "From {start} to {end} it is quiet: only the answer to what you write comes at once.",
            start=f"{start_ // 60:02}:{start_ % 60:02}",
            end=f"{end // 60:02}:{end % 60:02}",
        )
    turn.say(said, choices=(Choice("hours.start", _("Change it again")),))
