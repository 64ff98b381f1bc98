"""Sessions: hers and those open to her, one of them in detail, and who comes for who holds it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversation import Conversation
from bot.i18n import own_name
from bot.messages import N_, Choice, Ref, Text, _, _n
from bot.sessions import visiting
from bot.store import communities, needs, sessions, signups
from bot.store.attendance import EARLY
from bot.store.sessions import CANCELLED, OVER, PLANNED, USUAL_LENGTH, Session
from bot.store.signups import INVITED, LINED_UP, MAYBE, NO, OFFERED, YES, Signup
from bot.turn import Turn
from bot.when.lengths import length

LISTED = 6  # sessions in one look
LOOKED_AT = 60  # of the next ones
NAMED = 40  # names in one list

sessions_ = Conversation(
    "sessions",
    command="sessions",
    about=_("Sessions that are coming"),
    words=N_("sessions, my sessions, meetings"),
)

STATES = {
    YES: _("you come"),
    MAYBE: _("maybe"),
    NO: _("not this time"),
    LINED_UP: _("you are on the waiting list"),
    OFFERED: _("a seat is kept for you"),
    INVITED: _("you are invited"),
}
HERS = (YES, MAYBE, LINED_UP, OFFERED)
WAYS = (
    Choice("session.start", _("Plan a session")),
    Choice("market.start", _("Market")),
    Choice("visits.start", _("Plan a visit")),
    Choice("proposals.start", _("Joint proposals")),
)


# The list ----------------------------------------------------------------------------------------


@sessions_.start
def start(turn: Turn) -> None:
    """In a discreet community nothing but when they are."""
    ahead = sessions.list_ahead(turn.db, turn.member.id, turn.now, LOOKED_AT)
    found = [each for each in ahead if each.ends_at > turn.now]
    if not found:
        nothing = _(
            "No session is planned in your groups. Anybody can plan one; nobody has to be an "
            "expert."
        )
        return turn.say(nothing, choices=WAYS)
    mine = signups.list_for(turn.db, turn.member.id, [each.id for each in found])
    # Hers first, also those that are later than many others.
    hers = [each for each in found if _is_hers(turn, each, mine.get(each.id))][:LISTED]
    others = [each for each in found if each not in hers][: LISTED - len(hers)]
    listed = [*hers, *others]
    numbers = {each.id: number for number, each in enumerate(listed, 1)}
    said: list[Text] = []
    for heading, those in ((_("Your sessions:"), hers), (_("Open to you:"), others)):
        if those:
            said += [heading, *(_line(turn, numbers, each, mine.get(each.id)) for each in those)]
    choices = [
        Choice(f"sessions.show:{each.id}", _("Session {number}", number=numbers[each.id]))
        for each in listed
    ]
    turn.say(*said, choices=[*choices, *WAYS])


def _is_hers(turn: Turn, session: Session, signup: Signup | None) -> bool:
    answered = signup is not None and signup.answer in HERS
    return answered or session.takes_notes(turn.member.id)


def _line(turn: Turn, numbers: dict[int, int], session: Session, signup: Signup | None) -> Text:
    about: dict[str, object] = {
        "number": numbers[session.id],
        "session": session.ref,
        "at": session.starts_at,
    }
    state = _state(turn, session, signup)
    if state is None:
        return _("{number}. {session}: {at}", **about)
    return _("{number}. {session}: {at} ({state})", state=state, **about)


def _state(turn: Turn, session: Session, signup: Signup | None) -> Text | None:
    if session.is_led_by(turn.member.id):
        return _("you hold it")
    if signup is not None:
        return STATES[signup.answer]
    return _("you take the notes") if session.takes_notes(turn.member.id) else None


# One of them -------------------------------------------------------------------------------------


@sessions_.action
def show(turn: Turn) -> None:
    """She asked to see it: what it is about, and where."""
    session = _session(turn)
    if session is None:
        return turn.start("signup.gone")
    signup = signups.find(turn.db, session.id, turn.member.id)
    said = [*_about(turn, session), *_seats(turn, session), *_hers(turn, session, signup)]
    turn.say(*said, choices=_choices(turn, session, signup), subject=session.ref)


def _session(turn: Turn) -> Session | None:
    """One that she may come to; who leads the group is asked to hold others too, and sees them."""
    about = turn.subject
    id_ = turn.argument or (about.id if about is not None and about.table == "sessions" else 0)
    found = sessions.find_for(turn.db, id_, turn.member.id)
    other = sessions.find(turn.db, id_) if found is None else None
    return other if other is not None and _has_desk(turn, other) else found


def _about(turn: Turn, session: Session) -> list[Text]:
    said = [_("{title}", title=session.title_ref), _("When: {at}", at=session.starts_at)]
    if session.state == CANCELLED:
        said.append(_("This session was called off."))
    if session.minutes != USUAL_LENGTH:
        said.append(_("It lasts {length}.", length=length(session.minutes)))
    if session.place:
        said.append(_("Where: {place}", place=Ref("places", session.id)))
    if session.is_led_by(turn.member.id):
        said.append(_("You hold it."))
    elif session.host_id is not None:
        said.append(_("{name} holds it.", name=Ref("members", session.host_id)))
    if session.languages:
        spoken = ", ".join(own_name(each) for each in session.languages)
        said.append(_("Spoken: {languages}", languages=spoken))
    visit = visiting.lines(session)
    return said + [visit[name] for name in ("organisation", "packing") if name in visit]


def _seats(turn: Turn, session: Session) -> list[Text]:
    """How many come, never who."""
    if session.state == CANCELLED:
        return []
    found = signups.count(turn.db, session.id)
    said = []
    if found[YES]:
        said.append(_n("{n} person comes.", "{n} people come.", n=found[YES]))
    if session.seats is not None and session.state == PLANNED:
        free = signups.count_free(turn.db, session.id, session.seats)
        some = _n("{n} seat is free.", "{n} seats are free.", n=free)
        said.append(some if free else _("All seats are taken; there is a waiting list."))
    if session.seats_each is not None:
        said.append(
            _n(
                "{n} person of each organisation can come.",
                "{n} people of each organisation can come.",
                n=session.seats_each,
            )
        )
    return said


def _hers(turn: Turn, session: Session, signup: Signup | None) -> list[Text]:
    if signup is not None and signup.answer == LINED_UP and session.state == PLANNED:
        number = signups.count_before(turn.db, signup) + 1
        return [_("You are number {number} on the waiting list.", number=number)]
    if signup is not None and signup.answer == OFFERED and signup.offered_until is not None:
        return [_("A seat is kept for you until {until}.", until=signup.offered_until)]
    state = None if session.is_led_by(turn.member.id) else _state(turn, session, signup)
    return [] if state is None else [_("Your answer: {state}", state=state)]


def _choices(turn: Turn, session: Session, signup: Signup | None) -> list[Choice]:
    found: list[Choice] = []
    answer = None if signup is None else signup.answer
    ahead = session.state == PLANNED and session.ends_at > turn.now
    if ahead and not session.is_led_by(turn.member.id):
        found += _answers(session, answer)
    if ahead:
        found.append(Choice(f"calendar.send:{session.id}", _("Calendar")))
    if ahead and answer in HERS and not session.is_led_by(turn.member.id):
        found.append(Choice(f"signup.need:{session.id}", _("I need something")))
    found += _during(turn, session)
    if _sees_who(turn, session):
        found.append(Choice(f"sessions.comers:{session.id}", _("Who comes")))
    if session.state == PLANNED and session.starts_at > turn.now and _may_change(turn, session):
        found.append(Choice(f"changes.begin:{session.id}", _("Change")))
        found.append(Choice(f"changes.cancel:{session.id}", _("Call it off")))
        if session.kind == visiting.VISIT and session.is_led_by(turn.member.id):
            found.append(Choice(f"visits.bring:{session.id}", _("What to bring")))
    return found


def _during(turn: Turn, session: Session) -> list[Choice]:
    """From a quarter of an hour before it begins: who is there, and the notes."""
    if session.state not in (PLANNED, OVER) or turn.now < session.starts_at - EARLY:
        return []
    found = []
    if turn.now <= session.ends_at and not session.is_led_by(turn.member.id):
        found.append(Choice(f"attendance.here:{session.id}", _("I am here")))
    if _sees_who(turn, session):
        found.append(Choice(f"attendance.show:{session.id}", _("Who came")))
    if session.takes_notes(turn.member.id):
        found.append(Choice(f"notes.begin:{session.id}", _("Add notes")))
    return found


def _answers(session: Session, answer: str | None) -> list[Choice]:
    """What she can say now; what she said already is not among them."""
    come = Choice(f"signup.yes:{session.id}", _("I come"))
    maybe = Choice(f"signup.maybe:{session.id}", _("Maybe"))
    cannot = Choice(f"signup.no:{session.id}", _("Cannot come"))
    if answer == YES:
        return [cannot]
    if answer in (LINED_UP, OFFERED):
        return [cannot] if answer == LINED_UP else [come, cannot]
    not_now = Choice(f"signup.no:{session.id}", _("Not this time"))
    return {MAYBE: [come, cannot], NO: [come, maybe]}.get(answer or "", [come, maybe, not_now])


# Who comes ---------------------------------------------------------------------------------------


def _sees_who(turn: Turn, session: Session) -> bool:
    """Who holds it, who takes its notes, and who facilitates where it is held."""
    return session.takes_notes(turn.member.id) or _has_desk(turn, session)


def _may_change(turn: Turn, session: Session) -> bool:
    return session.is_led_by(turn.member.id) or _has_desk(turn, session)


def _has_desk(turn: Turn, session: Session) -> bool:
    place = session.community_id
    return communities.find_where(turn.db, turn.member.id, place, "desk", turn.now) is not None


@sessions_.action
def comers(turn: Turn) -> None:
    """By the names they chose; what somebody needs is shown to the host alone."""
    session = _session(turn)
    if session is None or not _sees_who(turn, session):
        return turn.start("signup.gone")
    said = [_("{title}", title=session.title_ref)]
    for answer in (YES, MAYBE, OFFERED, LINED_UP):
        found = signups.list_of(turn.db, session.id, (answer,))
        if found:
            said.append(_named(answer, [each.member_id for each in found]))
    if len(said) == 1:
        said.append(_("Nobody has answered yet. That is usual: many decide late."))
    turn.say(*said, *_needs(turn, session), choices=[_back(session)], subject=session.ref)


def _named(answer: str, member_ids: Sequence[int]) -> Text:
    """All in one line, as on a slip of paper."""
    shown, names = member_ids[:NAMED], _("{name}", name=Ref("members", member_ids[0]))
    for id_ in shown[1:]:
        names = _("{names}, {name}", names=names, name=Ref("members", id_))
    left = len(member_ids) - len(shown)
    if left:
        names = _n("{names} and {n} more", "{names} and {n} more", n=left, names=names)
    about: dict[str, object] = {"count": len(member_ids), "names": names}
    if answer == YES:
        return _("They come ({count}): {names}", **about)
    if answer == MAYBE:
        return _("Maybe ({count}): {names}", **about)
    if answer == OFFERED:
        return _("A seat is kept for them ({count}): {names}", **about)
    return _("They wait for a seat ({count}): {names}", **about)


def _needs(turn: Turn, session: Session) -> list[Text]:
    if not session.is_led_by(turn.member.id):
        return []
    found = needs.list_of(turn.db, session.id)
    lines = [
        _("{name} needs: {need}", name=Ref("members", member_id), need=need)
        for member_id, need in found
    ]
    return [_("Only you read what follows."), *lines] if lines else []


def _back(session: Session) -> Choice:
    return Choice(f"sessions.show:{session.id}", _("Details"))
