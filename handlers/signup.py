"""Signing up: [I come], [Maybe], [Not this time]; who needs something says so to the host alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.conversation import Conversation
from bot.i18n import shorten
from bot.messages import Choice, Ref, Text, _
from bot.scheduler import Counts, Progress, job
from bot.sessions import reminding, seats
from bot.sessions.seats import Outcome
from bot.smalltalk import is_small
from bot.store import copies, messages, needs, sessions, tallies
from bot.store.audiences import Audience
from bot.store.sessions import Session
from bot.turn import Turn

A_YEAR = timedelta(days=365)  # then she is asked again what she needs
MANY = 100  # sessions in one transaction of the job
LONGEST = 500  # graphemes of what she needs
ANSWERED_IN = timedelta(hours=1)  # what she writes later is something else
A_MOMENT = timedelta(seconds=30)

signup = Conversation("signup")


@job(every=timedelta(minutes=1))
def pass_on(db: Connection, now: datetime) -> Counts:
    """Seats that nobody took in time, or that somebody left without a word."""
    return {"offered": seats.pass_on(db, now, MANY)}


@job(every=timedelta(minutes=15))
def forget(db: Connection, now: datetime) -> Counts | Progress:
    """What somebody needed is nobody's business once the session is over."""
    gone = needs.forget(db, now)
    return Progress({"forgotten": gone}, scrub=("needs",)) if gone else {}


# What she answers --------------------------------------------------------------------------------


@signup.action
def yes(turn: Turn) -> None:
    session = _session(turn)
    if session is None:
        return gone(turn)
    outcome = seats.answer(turn.db, turn.now, session, turn.member.id, "yes")
    if outcome.kind != "yes":
        return _say(turn, session, outcome)
    reminding.expect(turn.db, turn.now, session, turn.member.id)
    if session.is_led_by(turn.member.id):
        return turn.say(_("You hold it, so you are expected."), choices=(_details(session),))
    _welcome(turn, session, again=outcome.was == "yes")
    if outcome.was != "yes" and _is_asked(turn, session):
        _ask(turn, session)


@signup.action
def maybe(turn: Turn) -> None:
    _answer(turn, "maybe")


@signup.action
def no(turn: Turn) -> None:
    """[Not this time], [Cannot come]."""
    _answer(turn, "no")


def _answer(turn: Turn, answer: str) -> None:
    session = _session(turn)
    if session is None:
        return gone(turn)
    if session.is_led_by(turn.member.id):
        return _say_it_is_hers(turn, session)
    outcome = seats.answer(turn.db, turn.now, session, turn.member.id, answer)
    if outcome.kind == "no":
        _forget_need(turn, session.id)
    if outcome.kind == "maybe":
        reminding.expect(turn.db, turn.now, session, turn.member.id)
    _say(turn, session, outcome)


def _session(turn: Turn) -> Session | None:
    """By the button's number, or by what was quoted."""
    about = turn.subject
    quoted = about.id if about is not None and about.table == "sessions" else 0
    return sessions.find_for(turn.db, turn.argument or quoted, turn.member.id)


@signup.action
def gone(turn: Turn) -> None:
    """Erased, of a group that she has left, or never hers: all look alike."""
    turn.say(_("I do not find that session any more."), choices=(_list(),))


# What is said ------------------------------------------------------------------------------------


def _welcome(turn: Turn, session: Session, *, again: bool) -> None:
    """She comes; where it is only if it has begun, else she is reminded in time."""
    first = _("You come: {session}, {at}.", session=session.ref, at=session.starts_at)
    if again:
        first = _(
            "You come, as you said: {session}, {at}.", session=session.ref, at=session.starts_at
        )
    said = [first]
    if session.starts_at <= turn.now:
        said = [_("It has begun already, come in: {session}.", session=session.ref)]
        if session.place:
            said.append(_("Where: {place}", place=Ref("places", session.id)))
    choices = (
        Choice(f"calendar.send:{session.id}", _("Calendar")),
        _details(session),
        Choice(f"signup.no:{session.id}", _("Cannot come")),
    )
    turn.say(*said, choices=choices, subject=session.ref)


def _say(turn: Turn, session: Session, outcome: Outcome) -> None:
    come = Choice(f"signup.yes:{session.id}", _("I come"))
    not_now = Choice(f"signup.no:{session.id}", _("Not this time"))
    about: dict[str, object] = {"session": session.ref, "at": session.starts_at}
    match outcome.kind:
        case "waiting":
            said = [_("All seats are taken: {session}, {at}.", **about), _in_line(outcome.number)]
            choices = [not_now, _details(session)]
        case "full":
            said = [_("It has begun, and all seats are taken: {session}.", session=session.ref)]
            choices = [_list()]
        case "maybe":
            said = [_("Maybe: {session}, {at}.", **about), _without_seat(session, outcome)]
            choices = [come, not_now, _details(session)]
        case "no":
            said = [_no(session, outcome)]
            choices = [come, _details(session)]
        case "cancelled":
            said, choices = [_("This session was called off.")], [_list()]
        case _:
            said, choices = [_("This session is over.")], [_list()]
    turn.say(*said, choices=choices, subject=session.ref)


def _in_line(number: int) -> Text:
    if number == 1:
        return _("You are the first to be asked when a seat is free.")
    return _(
        "You are number {number} on the waiting list, and are asked when it is your turn.",
        number=number,
    )


def _without_seat(session: Session, outcome: Outcome) -> Text:
    if outcome.was in ("yes", "offered") and session.seats is not None:
        return _("You are reminded. Your seat goes to somebody else; say so when you come.")
    if session.seats is not None:
        return _("You are reminded. No seat is kept for you; say so when you come.")
    return _("You are reminded. Say so when you know that you come.")


def _no(session: Session, outcome: Outcome) -> Text:
    if outcome.was == "yes" and session.seats is not None:
        return _("All right. Thank you for telling: your seat goes to somebody else.")
    if outcome.was in ("waiting", "offered"):
        return _("All right. You are not on the list any more.")
    return _("All right. Thank you for telling.")


def _say_it_is_hers(turn: Turn, session: Session) -> None:
    """The one who holds it cannot just stay away."""
    turn.say(
        _("You hold this session. Under Details you can move it, or call it off."),
        choices=(_details(session),),
        subject=session.ref,
    )


def _details(session: Session) -> Choice:
    return Choice(f"sessions.show:{session.id}", _("Details"))


def _list() -> Choice:
    return Choice("sessions.start", _("Sessions"))


# What she needs ----------------------------------------------------------------------------------


def _is_asked(turn: Turn, session: Session) -> bool:
    """Once; later it stands under Details. Of no use once it has begun."""
    if session.starts_at <= turn.now or session.host_id is None:
        return False
    return tallies.take(turn.db, "needs", turn.member.id, 1, A_YEAR, turn.now)


@signup.action
def need(turn: Turn) -> None:
    """[I need something], whenever she thinks of it."""
    session = _session(turn)
    if session is None:
        return gone(turn)
    if session.is_led_by(turn.member.id):
        return _say_it_is_hers(turn, session)
    if session.state != "planned" or session.ends_at <= turn.now:
        return turn.say(_("This session is over."), choices=(_list(),))
    _ask(turn, session)


def _ask(turn: Turn, session: Session) -> None:
    turn.data = {"session": session.id, "asked": turn.now.isoformat()}
    turn.ask(
        _(
            "Is there something you need to take part well: a way in without stairs, large "
            "letters, somebody who translates, a quiet place?"
        ),
        _(
            "Write it in your own words. Only who holds the session reads it, and it is erased "
            "here afterwards. Or skip."
        ),
        choices=(Choice("skip", _("Skip")),),
        then=needed,
        free=True,
    )


@signup.step
def needed(turn: Turn) -> None:
    if turn.choice is None and _is_something_else(turn):
        return turn.start("writing.wrote")
    session = sessions.find_for(turn.db, turn.data["session"], turn.member.id)
    if session is None:
        return gone(turn)
    if turn.choice == "skip" or (is_small(turn.text, turn.files) and not turn.files):
        return turn.say(_("All right."), choices=(_details(session),))
    if not turn.text:
        return turn.again(
            _(
                "Please write this one in a few words: it is erased here afterwards. "
                "What you sent was not passed on."
            )
        )
    _keep(turn, session)


def _is_something_else(turn: Turn) -> bool:
    """What she writes much later, or asks, must not go to the host unseen."""
    asked = datetime.fromisoformat(turn.data["asked"])
    return asked < turn.now - ANSWERED_IN or turn.text.endswith(("?", "？"))


def _keep(turn: Turn, session: Session) -> None:
    _forget_need(turn, session.id)
    words = shorten(turn.text, LONGEST)
    need_ = needs.add(turn.db, session.id, turn.member.id, words, turn.now)
    if session.host_id is not None:
        _tell_host(turn, session, session.host_id, need_)
    turn.say(
        _("Thank you for saying it. Only who holds the session reads it."),
        choices=(Choice(f"signup.take_back:{session.id}", _("Take it back")), _details(session)),
    )


def _tell_host(turn: Turn, session: Session, host_id: int, need_: Ref) -> None:
    """After a moment, in which she may take it back."""
    turn.tell(
        Audience("member", host_id),
        _(
            "{name} would like to take part and needs: {need}",
            name=Ref("members", turn.member.id),
            need=need_,
        ),
        _(
            "It is about {session}, {at}. Only you read this.",
            session=session.ref,
            at=session.starts_at,
        ),
        choices=(Choice(f"sessions.comers:{session.id}", _("Who comes")),),
        kind="session",
        subject=session.ref,
        after=A_MOMENT,
        once=f"needs/{need_.id}",
    )


def _forget_need(turn: Turn, session_id: int) -> bool:
    """What has not left yet is not said; False if there was nothing."""
    found = needs.find(turn.db, session_id, turn.member.id)
    if found is None:
        return False
    for message_id in messages.list_ids(turn.db, [f"needs/{found.id}"]):
        copies.keep_back(turn.db, message_id, "taken_back")
    needs.remove(turn.db, session_id, turn.member.id)
    return True


@signup.action
def take_back(turn: Turn) -> None:
    if _forget_need(turn, turn.argument):
        return turn.say(
            _("It is erased here. If it was read already, it stays on the phone of who read it.")
        )
    turn.say(_("Nothing is kept here of what you need."))
