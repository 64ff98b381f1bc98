"""Files of stories for those whose work it is: only what may be used so at this moment."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.desk import note
from bot.messages import N_, Choice, Ref, _
from bot.offers import CANCEL
from bot.store import communities, story_exports
from bot.store.consents import COMMUNITY, PROGRAMME, PUBLIC
from bot.stories import exporting
from bot.turn import Turn

exports = Conversation("exports", words=N_("export stories"))


@exports.start
def start(turn: Turn) -> None:
    turn.start("facilitate.choose", then="exports.begin", power=exporting.POWER)


@exports.action
def begin(turn: Turn) -> None:
    place = communities.find_where(
        turn.db, turn.member.id, turn.argument, exporting.POWER, turn.now
    )
    if place is None:
        return turn.start("facilitate.refuse")
    turn.data = {"community": place.id}
    turn.ask(
        _(
            "What are the stories of {community} for? The file has only those whose tellers "
            "agreed to that.",
            community=place.ref,
        ),
        choices=(
            Choice(PUBLIC, _("For everybody")),
            Choice(PROGRAMME, _("For the programme")),
            Choice(COMMUNITY, _("For the group")),
            CANCEL,
        ),
        then=use,
    )


@exports.step
def use(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was sent."))
    place = communities.find_where(
        turn.db, turn.member.id, turn.data["community"], exporting.POWER, turn.now
    )
    if place is None:
        return turn.start("facilitate.refuse")
    chosen = turn.choice or COMMUNITY
    lines = story_exports.list_lines(turn.db, chosen, [place.id])
    if not lines:
        return turn.say(_("No story may be used for that so far."))
    ids = [each.story_id for each in lines]
    export_id = story_exports.add(turn.db, turn.member.id, chosen, ids, turn.now)
    note(turn, "stories.export", place.id, export_id)
    turn.say(
        _(
            "Here are the stories. Recordings and pictures are not in the file. When a story is "
            "taken back I tell you its number; please take it out of all copies then."
        ),
        file=Ref(exporting.TABLE, export_id),
    )
