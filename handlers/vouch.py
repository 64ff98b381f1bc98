"""Vouch: a facilitator who knows a member brings her back in with a new number."""

from __future__ import annotations

from datetime import timedelta

from bot.conversation import Conversation
from bot.messages import N_, Choice, Message, Ref, _
from bot.offers import CANCEL
from bot.store import addresses, alerts, audit, codes, communities, meeting, members
from bot.turn import Turn

LASTS = timedelta(hours=24)  # a code, to be given from hand to hand

vouch = Conversation("vouch", words=N_("new number, new phone"))


@vouch.start
def start(turn: Turn) -> None:
    turn.start("facilitate.choose", then="vouch.begin", power="vouch")


@vouch.action
def begin(turn: Turn) -> None:
    community = communities.find_where(turn.db, turn.member.id, turn.argument, "vouch", turn.now)
    if community is None:
        return turn.start("facilitate.refuse")
    turn.data = {"community": community.id}
    turn.ask(
        _("Whose number has changed? Write the name as the group sees it."),
        choices=(CANCEL,),
        then=name,
        free=True,
    )


@vouch.step
def name(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing changes."))
    community = communities.find_where(
        turn.db, turn.member.id, turn.data["community"], "vouch", turn.now
    )
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    found = members.find_by_name(turn.db, community.id, turn.text)
    if len(found) != 1:
        return turn.again(
            _("I do not find one person of this name in the group. Write it once more:")
        )
    _give_code(turn, found[0])


def _give_code(turn: Turn, member_id: int) -> None:
    if any(each.role != "member" for each in communities.list_of(turn.db, member_id)):
        return turn.say(_("Who has a role in a group cannot be brought in like this."))
    code = codes.add(turn.db, "vouch", member_id, LASTS, turn.now)
    _tell_her(turn, member_id)
    audit.add(
        turn.db,
        turn.member.id,
        "vouch",
        turn.now,
        community_id=turn.data["community"],
        subject_id=member_id,
    )
    turn.say(
        _(
            "Give this number to {name} yourself, from hand to hand. "
            "Sent to me from the new phone within a day, it brings {name} back in; "
            "the old number is cut off then.",
            name=Ref("members", member_id),
        )
    )
    turn.say(_("{code}", code=codes.spaced(code)))


def _tell_her(turn: Turn, member_id: int) -> None:
    """Before anything happens: whoever has the old phone can say no."""
    told = _("A new phone is to be used in place of this one. If you did not ask for it, stop it.")
    stop = Choice("vouch.stop", _("Stop it"))
    for each in addresses.list_of(turn.db, member_id):
        key = f"vouch/{turn.inbox_id}/{each.id}"
        alerts.add(turn.db, key, Message((told,), (stop,)), each.id, turn.now, turn.now)


@vouch.action
def stop(turn: Turn) -> None:
    if codes.end(turn.db, "vouch", turn.member.id):
        return turn.say(_("It is stopped. Nothing changes."))
    turn.say(_("That is over already."))


@vouch.action
def arrive(turn: Turn) -> None:
    """The code came from the new phone: it is hers now, and her older ones are not."""
    member_id: int = turn.data["member"]
    older = addresses.list_of(turn.db, member_id)
    addresses.attach(turn.db, turn.address_id, member_id, turn.now)
    told = _("This app is not used here any more. If that is wrong, please ask your facilitator.")
    for each in older:
        addresses.cut(turn.db, each.id, turn.now)
        key = f"vouched/{turn.inbox_id}/{each.id}"
        alerts.add(turn.db, key, Message((told,)), each.id, turn.now, turn.now)
    turn.sender, _new = meeting.meet(turn.db, turn.inbound.lane, turn.inbound.sender, turn.now)
    turn.talk = None
    turn.refresh_commands()
    turn.say(
        _("Good to have you back. This phone is yours here now; the old one gets nothing more."),
        _("What was before is not shown here."),
    )
