"""Share the work: a facilitator asks a member to facilitate with her."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import Choice, Ref, _
from bot.store import communities, members
from bot.store.communities import Community
from bot.store.messages import Audience
from bot.turn import Turn

cofacilitator = Conversation("cofacilitator")


@cofacilitator.action
def begin(turn: Turn) -> None:
    community = communities.find_facilitated(turn.db, turn.member.id, turn.argument)
    if community is None:
        return turn.start("facilitate.refuse")
    turn.data = {"community": community.id}
    turn.ask(
        _(
            "Who shall facilitate {community} with you? "
            "Write the name as the group sees it, or take a link to send on.",
            community=community.ref,
        ),
        choices=(Choice("link", _("A link")), Choice("cancel", _("Cancel"))),
        then=name,
        free=True,
    )


@cofacilitator.step
def name(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was sent."))
    community = communities.find_facilitated(turn.db, turn.member.id, turn.data["community"])
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    if turn.choice == "link":
        turn.argument = community.id
        return turn.start("invites.cofacilitator")
    found = members.find_by_name(turn.db, community.id, turn.text)
    if len(found) != 1:
        return turn.again(
            _("I do not find one person of this name in the group. Write it once more:")
            if not found
            else _("Several people in the group are called so. Please take a link instead:")
        )
    _ask_her(turn, community, found[0])


def _ask_her(turn: Turn, community: Community, member_id: int) -> None:
    if communities.find_facilitated(turn.db, member_id, community.id) is not None:
        return turn.say(_("{name} does it already.", name=Ref("members", member_id)))
    turn.tell(
        Audience("member", member_id),
        _(
            "{name} asks whether you would facilitate {community} too: welcome newcomers, "
            "see what has no answer, announce something.",
            name=Ref("members", turn.member.id),
            community=community.ref,
        ),
        choices=(
            Choice(f"cofacilitator.accept:{community.id}", _("I will")),
            Choice("cofacilitator.refuse", _("Not now")),
        ),
        community_id=community.id,
        once=f"cofacilitator/{community.id}/{member_id}/{turn.now:%Y-%m-%d}",
    )
    turn.say(_("I have asked {name}.", name=Ref("members", member_id)))


@cofacilitator.action
def accept(turn: Turn) -> None:
    """Only who was asked has this button; the focal point has other work."""
    membership = communities.find_membership(turn.db, turn.member.id, turn.argument)
    if membership is None or not membership.is_active or membership.role == "focal_point":
        return turn.conversations.events["stale"](turn)
    community = membership.community
    communities.appoint(turn.db, turn.member.id, community.id, turn.now)
    turn.say(
        _(
            "Thank you! You facilitate {community} now. Write FACILITATE to see what you can do.",
            community=community.ref,
        )
    )
    turn.tell(
        Audience("facilitators", community.id, but=(turn.member.id,)),
        _(
            "{name} facilitates {community} with you now.",
            name=Ref("members", turn.member.id),
            community=community.ref,
        ),
        community_id=community.id,
        once=f"cofacilitator/yes/{community.id}/{turn.member.id}",
    )


@cofacilitator.action
def refuse(turn: Turn) -> None:
    turn.say(_("That is fine. Nothing changes."))
