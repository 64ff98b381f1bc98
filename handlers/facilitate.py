"""Facilitate: what a facilitator or a host sees of her community and can do there."""

from __future__ import annotations

from collections.abc import Iterable

from bot.conversation import Conversation
from bot.messages import N_, Choice, Ref, Text, _, _n
from bot.roles import power_of
from bot.store import communities, responses, threads
from bot.store.communities import Community, Membership
from bot.timing import zone
from bot.turn import Turn

LISTED = 8  # questions in one list

facilitate = Conversation("facilitate", command="facilitate", words=N_("facilitate, my group"))
unanswered_ = Conversation("unanswered", words=N_("unanswered"))

MOST = 10  # choices of a list that can be tapped in WhatsApp

# What can be done there, by those whose role has the power for it; the rarer ones last.
DESK = (
    ("facilitate.unanswered", _("Unanswered")),
    ("invites.show", _("Invite")),
    ("given.show", _("Weekly answers")),
    ("announce.begin", _("Announce")),
    ("rounds.show", _("Stories")),
    ("facilitate.unreached", _("Not reached")),
)
RARER = (
    ("cofacilitator.begin", _("Share the work")),
    ("roles.take", _("Take a role back")),
    ("vouch.begin", _("New number")),
    ("figures.show", _("Figures")),
    ("rhythm.show", _("Weekly rhythm")),
)


@facilitate.start
def start(turn: Turn) -> None:
    _choose(turn, "facilitate.desk", "desk")


@unanswered_.start
def list_unanswered(turn: Turn) -> None:
    _choose(turn, "facilitate.unanswered", "unanswered")


@facilitate.action
def choose(turn: Turn) -> None:
    """Another talk needs a community where she has data["power"]: data["then"] goes on with it."""
    if "then" in turn.data:
        _choose(turn, turn.data["then"], turn.data["power"])


def _choose(turn: Turn, then: str, power: str) -> None:
    found = communities.list_where(turn.db, turn.member.id, power, turn.now)
    if not found:
        return refuse(turn)
    if len(found) == 1:
        turn.argument = found[0].id
        return turn.start(then)
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    turn.data = {"then": then}
    turn.ask(
        _("Which group is it about?"),
        choices=[Choice(f"community:{each.id}", labels[each.id]) for each in found],
        then=chosen,
    )


@facilitate.step
def chosen(turn: Turn) -> None:
    turn.argument = int(turn.chosen)
    turn.start(turn.data["then"])


@facilitate.action
def desk(turn: Turn) -> None:
    """One community at a glance, and all that can be done there."""
    place = communities.find_membership(turn.db, turn.member.id, turn.argument)
    if place is None or not place.may("desk", turn.now):
        return refuse(turn)
    community = place.community
    lines = [
        _n(
            "{n} member in {community}.",
            "{n} members in {community}.",
            n=communities.count_active(turn.db, community.id),
            community=community.ref,
        ),
        _waiting_questions(threads.count_unanswered(turn.db, community.id, _role(turn, community))),
    ]
    choices, rarer = _offered(turn, place, DESK), _offered(turn, place, RARER)
    waiting = communities.list_waiting(turn.db, community.id)
    if waiting and place.may("admit", turn.now):
        lines.append(
            _n("{n} waits to be welcomed.", "{n} wait to be welcomed.", n=len(waiting)),
        )
        everybody = _("Welcome all {n}", n=len(waiting))
        welcome = Choice(f"admission.admit_all:{waiting[-1]}", everybody)
        choices.insert(0, welcome)
    if len(choices) + len(rarer) > MOST:
        rarer = [Choice(f"facilitate.more:{community.id}", _("More"))]
    turn.say(*lines, choices=[*choices, *rarer])


@facilitate.action
def more(turn: Turn) -> None:
    """What has no place on a list that can be tapped."""
    place = communities.find_membership(turn.db, turn.member.id, turn.argument)
    if place is None or not place.may("desk", turn.now):
        return refuse(turn)
    about = _("{community}", community=place.community.ref)
    turn.say(about, choices=_offered(turn, place, RARER))


def _offered(turn: Turn, place: Membership, listed: Iterable[tuple[str, Text]]) -> list[Choice]:
    """Those for which her role has the power."""
    community_id = place.community.id
    return [
        Choice(f"{action}:{community_id}", label)
        for action, label in listed
        if place.may(power_of(action) or "", turn.now)
        and (action != "given.show" or responses.list_given(turn.db, community_id, 1))
    ]


def _role(turn: Turn, community: Community) -> str:
    membership = communities.find_membership(turn.db, turn.member.id, community.id)
    return "member" if membership is None else membership.role


def _waiting_questions(count: int) -> Text:
    if not count:
        return _("No question waits for an answer.")
    return _n("{n} question has no answer yet.", "{n} questions have no answer yet.", n=count)


@facilitate.action
def unanswered(turn: Turn) -> None:
    """Questions that wait for an answer, the longest waiting first."""
    community = _mine(turn, "unanswered")
    if community is None:
        return
    found = threads.list_unanswered(turn.db, community.id, _role(turn, community), LISTED)
    if not found:
        return turn.say(_("Every question in {community} has an answer.", community=community.ref))
    where = zone(turn.member.timezone or community.timezone)
    lines = [
        _(
            "{thread}, since {at}: {question}",
            thread=thread.ref,
            at=thread.created_at.astimezone(where).date(),
            question=Ref("posts", post_id, 60),
        )
        for thread, post_id in found
    ]
    choices = [
        Choice(f"threads.show:{thread.id}", _("{thread}", thread=thread.ref))
        for thread, _post_id in found
    ]
    turn.say(_("No answer yet in {community}:", community=community.ref), *lines, choices=choices)


@facilitate.action
def unreached(turn: Turn) -> None:
    turn.start("unreached.show")


def _mine(turn: Turn, power: str) -> Community | None:
    """The community of the button or the choice, if she has the power there at this moment."""
    found = communities.find_where(turn.db, turn.member.id, turn.argument, power, turn.now)
    if found is None:
        refuse(turn)
    return found


@facilitate.action
def refuse(turn: Turn) -> None:
    """What was to be done is not hers to do, or not any more."""
    if communities.has_ended(turn.db, turn.data.get("community", turn.argument)):
        turn.say(_("That group has ended, so this is not possible any more."))
    else:
        turn.say(_("Only facilitators of a group can do this."))
