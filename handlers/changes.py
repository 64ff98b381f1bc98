"""Changes: a session is changed, moved or called off, and everybody concerned is told once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.conversation import Conversation
from bot.i18n import graphemes
from bot.messages import Choice, Ref, Text, _, _n
from bot.scheduler import job
from bot.sessions import calling, plans, seats
from bot.sessions.plans import Plan
from bot.smalltalk import has_words
from bot.store import communities, hosts, sessions, signups
from bot.store.sessions import CANCELLED, PLANNED, Session
from bot.turn import Turn

REASON = 300  # graphemes, at most
SOON = timedelta(days=3)  # then the facilitators are asked too who holds it
LOOKED_AT = 200
# What those who come are told of.
TOLD = frozenset({"starts_at", "title", "place", "minutes", "languages"})

changes = Conversation("changes")


def _session(turn: Turn, session_id: int) -> Session | None:
    """The session, if she may change it and it has not begun; else it is said why not."""
    found = sessions.find(turn.db, session_id)
    if found is None or not _may(turn, found):
        turn.say(_("Only whoever holds a session, and facilitators of its group, can change it."))
    elif found.state == CANCELLED:
        turn.say(_("This session was called off already."))
    elif found.state != PLANNED or found.starts_at <= turn.now:
        turn.say(_("This session has begun already, so it stays as it is."))
    else:
        return found
    return None


def _may(turn: Turn, session: Session) -> bool:
    """Who holds it, as long as she is in the group; who leads the group."""
    power = "ask" if session.is_led_by(turn.member.id) else "desk"
    here = session.community_id
    return communities.find_where(turn.db, turn.member.id, here, power, turn.now) is not None


# Changing ----------------------------------------------------------------------------------------


@changes.action
def begin(turn: Turn) -> None:
    found = _session(turn, turn.argument)
    if found is not None:
        plan = plans.of(turn.db, found) | {"sequence": found.sequence}
        turn.start("details.choose", **plan)


@changes.action
def save(turn: Turn) -> None:
    """What is another now; what somebody else changed meanwhile is not overwritten."""
    plan = turn.data
    found = _session(turn, plan.get("session", 0))
    if found is None:
        return
    if found.sequence != plan["sequence"]:
        return turn.say(
            _("Somebody else has changed this session meanwhile. Please look at it again."),
            choices=_ways(found),
        )
    plans.without_strangers(turn.db, plan)
    other = plans.different(plan, found)
    wider = _open(turn, plan, found)
    if not other and not wider:
        return turn.say(_("All right, nothing was changed."))
    sessions.change(turn.db, found.id, turn.now, **other)
    _tell(turn, found, [*other], wider=wider)
    turn.say(
        _("It is saved, and those who come are told: {title}", title=found.title_ref)
        if set(other) & TOLD
        else _("It is saved: {title}", title=found.title_ref),
        *_too_many(turn, found, other.get("seats")),
        choices=_ways(found),
        subject=found.ref,
    )


def _open(turn: Turn, plan: Plan, found: Session) -> bool:
    """Whether others may come than before."""
    before = set(sessions.list_communities(turn.db, found.id))
    hers = communities.list_where(turn.db, turn.member.id, "ask", turn.now)
    mine = {each.id for each in hers if not each.discreet}
    # Groups that are not hers stay as they were; nothing goes out of a discreet one.
    others = set(plan["for"]) & (mine | before)
    is_discreet = communities.get(turn.db, found.community_id).discreet
    wanted = {found.community_id, *(() if is_discreet else others)}
    if plan["invited"]:
        signups.invite(turn.db, found.id, plan["invited"], turn.now)
    if wanted != before:
        sessions.open_to(turn.db, found.id, wanted)
    return bool(wanted != before or plan["invited"] or plan["scope"] != found.scope)


def _too_many(turn: Turn, found: Session, seats: int | None) -> list[Text]:
    """Nobody loses a seat because there are fewer now."""
    come = signups.count(turn.db, found.id)["yes"]
    if seats is None or come <= seats:
        return []
    return [
        _n(
            "{n} person comes already, and keeps a seat.",
            "{n} people come already, and keep their seats.",
            n=come,
        )
    ]


def _tell(turn: Turn, before: Session, names: list[str], *, wider: bool) -> None:
    but = (turn.member.id,)
    if "starts_at" in names:
        calling.moved(turn.db, turn.now, before.id, before.starts_at, but, names)
    elif wider or set(names) & TOLD:
        calling.changed(turn.db, turn.now, before.id, names, but)
    if "note_taker_id" in names:
        calling.ask_for_notes(turn.db, turn.now, sessions.get(turn.db, before.id))
    if "seats" in names:
        seats.free_up(turn.db, turn.now, before.id)


def _ways(session: Session) -> tuple[Choice, ...]:
    return (
        Choice(f"sessions.show:{session.id}", _("Details")),
        Choice(f"changes.begin:{session.id}", _("Change")),
        Choice(f"changes.cancel:{session.id}", _("Call it off")),
    )


# Calling it off ----------------------------------------------------------------------------------


@changes.action
def cancel(turn: Turn) -> None:
    found = _session(turn, turn.argument)
    if found is None:
        return
    turn.data = {"session": found.id, "all": False}
    if found.every is None:
        return _ask_why(turn)
    turn.ask(
        _("It comes again and again: {title}", title=found.title_ref),
        _("What shall be called off?"),
        choices=(
            Choice("one", _("Only this one")),
            Choice("all", _("All that follow too")),
            Choice("keep", _("It takes place")),
        ),
        then=which,
    )


@changes.step
def which(turn: Turn) -> None:
    if turn.choice == "keep":
        return _keep(turn)
    turn.data["all"] = turn.choice == "all"
    _ask_why(turn)


def _keep(turn: Turn) -> None:
    turn.say(_("All right, it takes place."))


def _ask_why(turn: Turn) -> None:
    turn.ask(
        _("Why does it not take place? Those who wanted to come read it. One line is enough."),
        choices=(Choice("none", _("Without a reason")), Choice("keep", _("It takes place"))),
        then=why,
        free=True,
    )


@changes.step
def why(turn: Turn) -> None:
    if turn.choice == "keep":
        return _keep(turn)
    said = " ".join(turn.text.split())
    if turn.choice is None and (not has_words(said) or graphemes(said) > REASON):
        return turn.again(_("Please write it in one line."))
    turn.data["reason"] = None if turn.choice else said
    found = _session(turn, turn.data["session"])
    if found is None:
        return
    reason = [_("Why: {reason}", reason=said)] if turn.data["reason"] else []
    turn.ask(
        _("Shall it be called off? {title}, {at}", title=found.title_ref, at=found.starts_at),
        *reason,
        choices=(Choice("yes", _("Call it off")), Choice("keep", _("It takes place"))),
        then=sure,
    )


@changes.step
def sure(turn: Turn) -> None:
    if turn.choice == "keep":
        return _keep(turn)
    found = _session(turn, turn.data["session"])
    if found is None:
        return
    values = {"state": CANCELLED, "reason": turn.data["reason"]}
    if turn.data["all"]:
        values["every"] = None
    sessions.change(turn.db, found.id, turn.now, **values)
    calling.cancelled(turn.db, turn.now, found.id, but=(turn.member.id,))
    turn.say(
        _("It is called off, and everybody concerned is told: {title}", title=found.title_ref),
        choices=(Choice("session.start", _("Plan another one")),),
    )


# Who holds it, and who takes the notes -----------------------------------------------------------


@changes.action
def no_notes(turn: Turn) -> None:
    """Who was to take the notes cannot; who holds it hears that."""
    found = sessions.find(turn.db, turn.argument)
    if found is None or found.note_taker_id != turn.member.id:
        return turn.conversations.events["stale"](turn)
    sessions.change(turn.db, found.id, turn.now, note_taker_id=None)
    calling.without_notes(turn.db, turn.now, found)
    turn.say(_("All right. Somebody else will be found for it."))


@changes.action
def take(turn: Turn) -> None:
    """A session without a host: who takes its notes, or leads the group, holds it from now on."""
    found = sessions.find(turn.db, turn.argument)
    if found is None or not (found.note_taker_id == turn.member.id or _may(turn, found)):
        return turn.conversations.events["stale"](turn)
    if found.state != PLANNED or found.starts_at <= turn.now:
        return turn.say(_("This session is over, or was called off."))
    if hosts.is_held(turn.db, found.id):
        name = Ref("members", found.host_id or 0)
        return turn.say(_("{name} holds it already.", name=name))
    sessions.change(turn.db, found.id, turn.now, host_id=turn.member.id)
    turn.say(
        _("Thank you! You hold it now: {title}", title=found.title_ref),
        *plans.when(turn.db, found.community_id, found.starts_at, turn.member.id, turn.language),
        choices=_ways(found),
        subject=found.ref,
    )


@job(every=timedelta(minutes=15))
def find_hosts(db: Connection, now: datetime) -> dict[str, int]:
    """Sessions whose hosts have left, stopped or were forgotten."""
    asked = 0
    after = 0
    while found := hosts.list_unheld(db, now, after, LOOKED_AT):
        for session_id in found:
            session = sessions.get(db, session_id)
            asked += calling.ask_to_hold(db, now, session, soon=session.starts_at < now + SOON)
        after = found[-1]
    return {"asked": asked} if asked else {}
