"""Share the work: a facilitator asks a member to facilitate with her, or to host, for a while."""

from __future__ import annotations

from datetime import datetime, timedelta

import regex

from bot import allowances
from bot.conversation import Conversation
from bot.desk import note
from bot.i18n import fold, word_list
from bot.messages import N_, Choice, Ref, Text, _, _n
from bot.offers import CANCEL
from bot.roles import ROLE_NAMES
from bot.store import communities, members, roles
from bot.store.audiences import Audience
from bot.store.communities import Community
from bot.store.roles import Offer
from bot.turn import Turn

STANDS = timedelta(days=7)  # an offer
LONGEST = 366  # days
SEASON, MONTH = 90, 30
# What is typed: how many days one of it has.
UNITS = (
    (N_("day, days"), 1),
    (N_("week, weeks"), 7),
    (N_("month, months"), 30),
)
_TYPED = regex.compile(r"(\p{Nd}{1,3})\s*(\D+)")

cofacilitator = Conversation("cofacilitator")


# Asking ------------------------------------------------------------------------------------------


@cofacilitator.action
def begin(turn: Turn) -> None:
    community = _mine(turn, turn.argument)
    if community is None:
        return turn.start("facilitate.refuse")
    turn.data = {"community": community.id}
    turn.ask(
        _(
            "Who shall share the work in {community}? "
            "Write the name as the group sees it, or take a link to send on.",
            community=community.ref,
        ),
        choices=(Choice("link", _("A link")), CANCEL),
        then=name,
        free=True,
    )


def _mine(turn: Turn, community_id: int) -> Community | None:
    return communities.find_where(turn.db, turn.member.id, community_id, "role.give", turn.now)


@cofacilitator.step
def name(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was sent."))
    community = _mine(turn, turn.data["community"])
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
    _ask_for_what(turn, community, found[0])


def _ask_for_what(turn: Turn, community: Community, member_id: int) -> None:
    theirs = communities.find_membership(turn.db, member_id, community.id)
    if theirs is None or theirs.may("role.give", turn.now):
        return turn.say(_("{name} does it already.", name=Ref("members", member_id)))
    turn.data["member"] = member_id
    turn.ask(
        _(
            "What shall {name} do? A facilitator can do all that you can. "
            "A host announces, and sees what has no answer.",
            name=Ref("members", member_id),
        ),
        choices=[*(Choice(each, ROLE_NAMES[each]) for each in ("facilitator", "host")), CANCEL],
        then=role,
    )


@cofacilitator.step
def role(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was sent."))
    turn.data["role"] = turn.choice
    turn.ask(
        _("For how long? You can also write it, like: 2 weeks."),
        choices=(
            Choice("0", _("For good")),
            Choice(str(SEASON), _("For a season")),
            Choice(str(MONTH), _("For a month")),
            CANCEL,
        ),
        then=lasts,
        free=True,
    )


@cofacilitator.step
def lasts(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was sent."))
    days = int(turn.choice) if turn.choice else _typed_days(turn.text)
    if days is None:
        return turn.again(_("Please write it like: 10 days, 2 weeks, 3 months. At most a year."))
    community = _mine(turn, turn.data["community"])
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    if not allowances.take(turn.db, allowances.ROLE_OFFERS, turn.member.id, turn.now):
        return turn.say(allowances.ROLE_OFFERS.over)
    _ask_her(turn, community, turn.data["member"], turn.data["role"], days or None)


def _typed_days(text: str) -> int | None:
    """10 days, ໒ ອາທິດ, ៣ខែ: at most a year; None for anything else."""
    found = _TYPED.fullmatch(fold(text))
    if found is None:
        return None
    for words, days in UNITS:
        if fold(found[2]) in word_list(words):
            asked = int(found[1]) * days
            return asked if 0 < asked <= LONGEST else None
    return None


def _ask_her(
    turn: Turn, community: Community, member_id: int, wanted: str, days: int | None
) -> None:
    offer_id = roles.add_offer(
        turn.db, community.id, member_id, turn.member.id, wanted, days, turn.now + STANDS
    )
    turn.tell(
        Audience("member", member_id),
        _question(turn.member.id, community, wanted),
        _how_long(days),
        choices=(
            Choice(f"cofacilitator.accept:{offer_id}", _("I will")),
            Choice(f"cofacilitator.refuse:{offer_id}", _("Not now")),
        ),
        community_id=community.id,
        once=f"role_offer/{offer_id}",
    )
    note(turn, f"role.offered {wanted}", community.id, member_id)
    turn.say(_("I have asked {name}. The offer stands for a week.", name=Ref("members", member_id)))


def _question(giver_id: int, community: Community, wanted: str) -> Text:
    who: dict[str, object] = {"name": Ref("members", giver_id), "community": community.ref}
    if wanted == "host":
        return _(
            "{name} asks whether you would be a host of {community}: "
            "announce something, see what has no answer.",
            **who,
        )
    return _(
        "{name} asks whether you would facilitate {community} too: welcome newcomers, "
        "see what has no answer, announce something.",
        **who,
    )


def _how_long(days: int | None) -> Text:
    if days is None:
        return _("For as long as you like; you can hand it back at any time.")
    return _n(
        "For {n} day; you can hand it back at any time.",
        "For {n} days; you can hand it back at any time.",
        n=days,
    )


# Answering ---------------------------------------------------------------------------------------


def _until(turn: Turn, offer: Offer) -> datetime | None:
    """Nobody gives a role for longer than she has it herself."""
    giver = communities.find_membership(turn.db, offer.giver_id, offer.community_id)
    ends = (offer.until(turn.now), None if giver is None else giver.role_until)
    return min((each for each in ends if each is not None), default=None)


@cofacilitator.action
def accept(turn: Turn) -> None:
    """Only who was asked has this button, and only while the one who asked could still ask."""
    offer = _standing(turn)
    until = None if offer is None else _until(turn, offer)
    if offer is None or not roles.give(turn.db, offer, until):
        return turn.say(_("This offer does not stand any more. Nothing changes."))
    note(turn, f"role.given {offer.role}", offer.community_id, turn.member.id)
    community = communities.get(turn.db, offer.community_id)
    who: dict[str, object] = {
        "name": Ref("members", turn.member.id),
        "community": community.ref,
    }
    is_host = offer.role == "host"
    said = [
        _("Thank you! You are a host of {community} now.", **who)
        if is_host
        else _("Thank you! You facilitate {community} now.", **who),
        _("Write FACILITATE to see what you can do, and MY ROLES to hand it back."),
    ]
    if until is not None:
        said.append(_("Until {at}.", at=until.date()))
    turn.say(*said)
    turn.tell(
        Audience("facilitators", community.id, but=(turn.member.id,)),
        _("{name} is a host of {community} now.", **who)
        if is_host
        else _("{name} facilitates {community} with you now.", **who),
        community_id=community.id,
        once=f"role_given/{offer.id}",
    )


def _standing(turn: Turn) -> Offer | None:
    """The offer, taken: it is answered once. A higher role is never lost by it."""
    offer = roles.find_offer(turn.db, turn.argument, turn.member.id, turn.now)
    if offer is None or not roles.mark_answered(turn.db, offer.id, turn.now):
        return None
    mine = communities.find_membership(turn.db, turn.member.id, offer.community_id)
    giver = communities.find_where(
        turn.db, offer.giver_id, offer.community_id, "role.give", turn.now
    )
    if mine is None or giver is None or not mine.may("role.accept", turn.now):
        return None
    leads = mine.may("role.give", turn.now)
    more = offer.role == "facilitator" and mine.role_until is not None
    return offer if more or not leads else None


@cofacilitator.action
def refuse(turn: Turn) -> None:
    offer = roles.find_offer(turn.db, turn.argument, turn.member.id, turn.now)
    if offer is not None:
        roles.mark_answered(turn.db, offer.id, turn.now)
    turn.say(_("That is fine. Nothing changes."))
