"""Admission: a facilitator lets newcomers in, one by one or all at once, or does not."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.desk import note
from bot.discretion import HOW_IT_COMES
from bot.messages import Ref, _, _n
from bot.store import communities, contents, programmes
from bot.store.audiences import Audience
from bot.store.communities import Community
from bot.turn import Turn

admission = Conversation("admission")


@admission.action
def admit(turn: Turn) -> None:
    """A facilitator welcomes a newcomer; what she wrote meanwhile goes out."""
    waiting = _waiting_for(turn)
    if waiting is None or not communities.decide(turn.db, turn.argument, "active"):
        return turn.say(_("That has been decided already."))
    member_id, community_id = waiting
    turn.say(_("{name} is in.", name=Ref("members", member_id)))
    _let_in(turn, member_id, communities.get(turn.db, community_id))


@admission.action
def admit_all(turn: Turn) -> None:
    """All who waited when the button was made, nobody she has not heard of since."""
    last = turn.argument
    place = communities.find_place(turn.db, last) or 0
    community = communities.find_where(turn.db, turn.member.id, place, "admit", turn.now)
    if community is None:
        return turn.say(_("That has been decided already."))
    let_in = 0
    for membership_id in communities.list_waiting(turn.db, community.id):
        if membership_id > last:
            continue
        waiting = communities.find_waiting(turn.db, membership_id)
        if waiting is not None and communities.decide(turn.db, membership_id, "active"):
            let_in += 1
            _let_in(turn, waiting[0], community)
    if not let_in:
        return turn.say(_("Nobody waits in {community} any more.", community=community.ref))
    turn.say(
        _n(
            "{n} newcomer is in {community} now.",
            "{n} newcomers are in {community} now.",
            n=let_in,
            community=community.ref,
        )
    )


def _let_in(turn: Turn, member_id: int, community: Community) -> None:
    note(turn, "admit", community.id, member_id)
    said = [_("Welcome to {community}! It is good that you are here.", community=community.ref)]
    said += contents.purpose_lines(turn.db, community.id, discreet=community.discreet)
    if community.discreet:
        said.append(HOW_IT_COMES)
    turn.tell(Audience("member", member_id), *said)
    turn.start("opening.send_waiting", author=member_id, community=community.id)


@admission.action
def decline(turn: Turn) -> None:
    waiting = _waiting_for(turn)
    if waiting is None or not communities.decide(turn.db, turn.argument, "declined"):
        return turn.say(_("That has been decided already."))
    member_id, community_id = waiting
    note(turn, "decline", community_id, member_id)
    turn.tell(
        Audience("member", member_id),
        _(
            "The facilitator cannot add you just now. Please ask {contact}.",
            contact=programmes.contact(turn.db),
        ),
    )
    turn.say(_("{name} hears that it is not possible just now.", name=Ref("members", member_id)))


def _waiting_for(turn: Turn) -> tuple[int, int] | None:
    """Who waits behind this button, if the one who taps may decide."""
    waiting = communities.find_waiting(turn.db, turn.argument)
    if waiting is None:
        return None
    place = communities.find_where(turn.db, turn.member.id, waiting[1], "admit", turn.now)
    return None if place is None else waiting


# Buttons from before, which still stand on phones.
admission.actions |= {"welcome.admit": admit, "welcome.decline": decline}
