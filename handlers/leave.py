"""Leave a community: nothing of it comes any more; what she wrote there stays."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, Text, _
from bot.offers import CANCEL
from bot.sessions import seats
from bot.store import communities, posts, presence
from bot.store.communities import Membership
from bot.turn import Turn

leave = Conversation("leave", command="leave", words=N_("leave, leave a group, leave the group"))

FORGET_ME = Choice("forget.start", _("Forget me"))


@leave.start
def start(turn: Turn) -> None:
    mine = communities.list_of(turn.db, turn.member.id)
    if not mine:
        return turn.say(
            _("You are in no group. With an invite code you can join one."), choices=(FORGET_ME,)
        )
    if len(mine) == 1:
        return _confirm(turn, mine[0])
    labels = communities.labels(mine)
    turn.ask(
        _("Which group would you like to leave?"),
        choices=[
            *(Choice(f"group:{each.community.id}", labels[each.community.id]) for each in mine),
            CANCEL,
        ],
        then=group,
    )


@leave.step
def group(turn: Turn) -> None:
    if turn.choice == "cancel":
        return _stay(turn)
    found = communities.find_membership(turn.db, turn.member.id, int(turn.chosen))
    if not _is_in(found):
        return turn.say(_("You are not in that group any more."))
    assert found is not None
    _confirm(turn, found)


def _is_in(found: Membership | None) -> bool:
    return found is not None and found.state in ("active", "waiting")


def _confirm(turn: Turn, found: Membership) -> None:
    turn.data = {"community": found.community.id}
    place = _label(turn, found.community.id)
    said = [
        _(
            "Leave {community}? Nothing comes from there any more, and no draft goes there.",
            community=place,
        ),
        _(
            "What you wrote there stays, with your name. "
            "What others have on their phones stays with them."
        ),
    ]
    if found.state == "waiting":
        said = [_("You wait to be welcomed to {community}. Stop waiting?", community=place)]
    elif presence.is_only_facilitator(turn.db, turn.member.id, found.community.id):
        said.append(_("You alone facilitate it: then nobody welcomes newcomers there."))
    turn.ask(
        *said,
        choices=(Choice("leave", _("Leave")), Choice("stay", _("Stay"))),
        then=confirm,
    )


def _label(turn: Turn, community_id: int) -> Text:
    """As she chooses it among several; a discreet one is never named."""
    mine = communities.list_of(turn.db, turn.member.id)
    if len(mine) == 1:
        return _("{community}", community=mine[0].community.ref)
    return communities.labels(mine).get(community_id, _("your group"))


@leave.step
def confirm(turn: Turn) -> None:
    if turn.choice == "stay":
        return _stay(turn)
    community_id = turn.data["community"]
    place = _label(turn, community_id)
    if not presence.leave(turn.db, turn.member.id, community_id):
        return turn.say(_("You are not in that group any more."))
    seats.leave(turn.db, turn.now, turn.member.id, community_id)
    _drop_drafts(turn, community_id)
    said = [_("You have left {community}. With a code you can come back.", community=place)]
    choices = []
    if not communities.list_of(turn.db, turn.member.id):
        said.append(_("You are in no group now. All that is kept about you can be erased too."))
        choices.append(FORGET_ME)
    turn.say(*said, choices=choices)


def _drop_drafts(turn: Turn, community_id: int) -> None:
    """A question that was being written for it is not asked again."""
    talk = turn.talk
    while talk is not None and (beneath := talk.beneath) is not None:
        if beneath.data.get("community") != community_id:
            talk = beneath
            continue
        if "post" in beneath.data:
            posts.remove(turn.db, beneath.data["post"])
        talk.beneath = beneath.beneath


def _stay(turn: Turn) -> None:
    turn.say(_("All right, nothing was changed."))
