"""Roles: what she does in which group; handing back, taking back, and when the time is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.conversation import Conversation
from bot.messages import N_, Choice, Message, Ref, Text, _
from bot.offers import CANCEL
from bot.roles import ROLE_NAMES
from bot.scheduler import job
from bot.store import audit, communities, members, programmes, roles
from bot.store.audiences import Audience
from bot.store.communities import Community, Membership
from bot.store.roles import Holder
from bot.telling import tell
from bot.turn import Turn

LISTED = 7  # people in one list
AT_ONCE = 100  # roles that end in one transaction

roles_ = Conversation("roles", words=N_("my roles, my role, roles"))


@roles_.start
def start(turn: Turn) -> None:
    """Where she has a role, until when, and the way out of it."""
    mine = [
        each
        for each in communities.list_of(turn.db, turn.member.id)
        if each.is_active and each.role != "member"
    ]
    if not mine:
        return turn.say(_("You are a member, like everybody. Nothing more is expected of you."))
    back = [each for each in mine if each.may("role.hand_back", turn.now)]
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    choices = [
        Choice(
            f"roles.hand_back:{each.community.id}",
            _("Hand it back") if len(back) == 1 else labels[each.community.id],
        )
        for each in back
    ]
    lines = [_line(each) for each in mine]
    if len(back) > 1:
        lines.append(_("To hand a role back, choose its group."))
    turn.say(*lines, choices=choices)


def _line(mine: Membership) -> Text:
    who: dict[str, object] = {"community": mine.community.ref, "role": ROLE_NAMES[mine.role]}
    if mine.role_until is None:
        return _("{community}: {role}", **who)
    return _("{community}: {role}, until {at}", at=mine.role_until.date(), **who)


# Handing back ------------------------------------------------------------------------------------


@roles_.action
def hand_back(turn: Turn) -> None:
    mine = roles.find_of(turn.db, turn.member.id, turn.argument)
    if mine is None:
        return turn.say(_("You are a member, like everybody. Nothing more is expected of you."))
    community = communities.get(turn.db, mine.community_id)
    turn.data = {"membership": mine.id}
    lines = [
        _(
            "Hand your role in {community} back? You stay a member.",
            community=community.ref,
        )
    ]
    if _is_last(turn.db, mine, turn.now):
        lines.append(
            _(
                "Nobody else facilitates this group. Please share the work first, "
                "or tell {contact}.",
                contact=programmes.contact(turn.db),
            )
        )
    choices = (Choice("back", _("Hand it back")), CANCEL)
    turn.ask(*lines, choices=choices, then=handed)


@roles_.step
def handed(turn: Turn) -> None:
    mine = roles.find(turn.db, turn.data["membership"])
    if turn.choice == "cancel" or mine is None or mine.member_id != turn.member.id:
        return turn.say(_("All right, nothing was changed."))
    if not roles.end(turn.db, mine):
        return turn.say(_("All right, nothing was changed."))
    _note(turn.db, turn.member.id, "role.handed_back", mine, turn.now)
    community = communities.get(turn.db, mine.community_id)
    turn.say(
        _(
            "Done. You are a member of {community} like before. Thank you for what you did!",
            community=community.ref,
        )
    )
    turn.tell(
        Audience("facilitators", community.id, but=(turn.member.id,)),
        _(
            "{name} has handed a role in {community} back: {role}.",
            name=Ref("members", turn.member.id),
            community=community.ref,
            role=ROLE_NAMES[mine.role],
        ),
        community_id=community.id,
    )


def _is_last(db: Connection, holder: Holder, now: datetime) -> bool:
    """Whether nobody would facilitate without her."""
    if holder.role != "facilitator":
        return False
    return not any(
        each.role == "facilitator"
        and each.id != holder.id
        and (each.until is None or each.until > now)
        for each in roles.list_holders(db, holder.community_id)
    )


# Taking back -------------------------------------------------------------------------------------


@roles_.action
def take(turn: Turn) -> None:
    """Whose role shall end: of those she gave, or who came after her."""
    community = _mine(turn, turn.argument)
    if community is None:
        return turn.start("facilitate.refuse")
    found = _hers_to_end(turn, community.id)
    if not found:
        return turn.say(
            _("There is no role in {community} that is yours to end.", community=community.ref)
        )
    turn.data = {"community": community.id}
    choices = [] if community.discreet else [_choice(each) for each in found[:LISTED]]
    turn.ask(
        _("Whose role in {community} shall end? You can write the name.", community=community.ref),
        choices=[*choices, CANCEL],
        then=whose,
        free=True,
    )


def _mine(turn: Turn, community_id: int) -> Community | None:
    return communities.find_where(turn.db, turn.member.id, community_id, "role.take", turn.now)


def _hers_to_end(turn: Turn, community_id: int) -> list[Holder]:
    every = roles.list_holders(turn.db, community_id)
    me = next((each for each in every if each.member_id == turn.member.id), None)
    return [each for each in every if me is not None and each is not me and me.may_end(each)]


def _choice(holder: Holder) -> Choice:
    return Choice(f"holder:{holder.id}", _("{name}", name=Ref("members", holder.member_id, 20)))


@roles_.step
def whose(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    community = _mine(turn, turn.data["community"])
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    found = _hers_to_end(turn, community.id)
    if turn.choice is not None:
        found = [each for each in found if each.id == int(turn.chosen)]
    else:
        called = members.find_by_name(turn.db, community.id, turn.text)
        found = [each for each in found if each.member_id in called]
    if len(found) != 1:
        return turn.again(_("I do not find one person of this name here. Write it once more:"))
    turn.data["membership"] = found[0].id
    turn.ask(
        _(
            "{name} is a member of {community} again then, and hears it. Shall the role end?",
            name=Ref("members", found[0].member_id),
            community=community.ref,
        ),
        choices=(Choice("end", _("End the role")), CANCEL),
        then=taken,
    )


@roles_.step
def taken(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    community = _mine(turn, turn.data["community"])
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    hers = _hers_to_end(turn, community.id)
    holder = next((each for each in hers if each.id == turn.data["membership"]), None)
    if holder is None or _is_last(turn.db, holder, turn.now) or not roles.end(turn.db, holder):
        return turn.say(_("This role is over already, or not yours to end."))
    _note(turn.db, turn.member.id, "role.taken", holder, turn.now)
    name = Ref("members", holder.member_id)
    turn.say(_("Done. {name} is a member like before.", name=name))
    turn.tell(
        Audience("member", holder.member_id),
        _over(community.ref),
        community_id=community.id,
    )


def _over(community: Ref) -> Text:
    return _(
        "Your role in {community} has ended; you are a member like before. "
        "Thank you for what you did!",
        community=community,
    )


# When the time is over ---------------------------------------------------------------------------


@job(every=timedelta(minutes=5))
def end_roles(db: Connection, now: datetime) -> dict[str, int]:
    """A role for a time ends; she and who gave it are told once."""
    found = roles.list_over(db, now, AT_ONCE)
    for each in found:
        if _is_last(db, each, now):
            _keep(db, each, now)
        else:
            _end(db, each, now)
    return {"roles": len(found)}


def _end(db: Connection, holder: Holder, now: datetime) -> None:
    if not roles.end(db, holder):
        return
    _note(db, None, "role.expired", holder, now)
    community = Ref("communities", holder.community_id)
    _tell(db, now, holder, holder.member_id, _over(community))
    if holder.giver_id is not None:
        name = Ref("members", holder.member_id)
        about = _("The role of {name} in {community} has ended, as it was agreed.", name=name,
                  community=community)  # fmt: skip
        _tell(db, now, holder, holder.giver_id, about)


def _keep(db: Connection, holder: Holder, now: datetime) -> None:
    """A group without a facilitator is worse than one who stays a little longer."""
    roles.keep(db, holder)
    _note(db, None, "role.kept", holder, now)
    about = _(
        "Your time as facilitator of {community} is over, but nobody else facilitates it now: "
        "so it stays with you. Write MY ROLES to hand it back.",
        community=Ref("communities", holder.community_id),
    )
    _tell(db, now, holder, holder.member_id, about)


def _tell(db: Connection, now: datetime, holder: Holder, member_id: int, about: Text) -> None:
    assert holder.until is not None
    key = f"role_over/{holder.id}/{holder.until.isoformat()}/{member_id}"
    audience, message = Audience("member", member_id), Message((about,))
    tell(db, now, key, audience, message, community_id=holder.community_id)


def _note(db: Connection, actor_id: int | None, action: str, holder: Holder, now: datetime) -> None:
    audit.add(
        db,
        actor_id,
        f"{action} {holder.role}",
        now,
        community_id=holder.community_id,
        subject_id=holder.member_id,
    )
