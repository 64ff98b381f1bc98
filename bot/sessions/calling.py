"""Calling: who may come hears of a session; whoever is concerned, once, that it is another one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot.i18n import own_name
from bot.messages import Choice, Message, Ref, Text, _, _n
from bot.sessions import matching, reminding, visiting
from bot.store import copies, sessions
from bot.store import messages as outbox
from bot.store.audiences import Audience, Comers
from bot.store.sessions import USUAL_LENGTH, Session
from bot.telling import tell
from bot.when.lengths import length

KIND = "session"
INVITED = "invited"  # a scope, and the answer of whoever was asked by name and has not said
COUNTING_ON_IT = ("yes", "maybe", "waiting", "offered")
_CALLS, _CHANGES = ("call", "wanted"), ("moved", "silent", "changed")
_SAID = (*_CALLS, *_CHANGES)  # what is said of a version of a session


def call(db: Connection, now: datetime, session_id: int) -> int | None:
    """Invite all who may come, once; the message's id, or None if that was said before."""
    session = sessions.get(db, session_id)
    if _calls(db, session):
        return None
    # Whoever asked for it is told so, and needs no other invitation.
    wanted = matching.bring(db, now, session, facts(session), answers(session.id))
    return _call(db, now, session, (), wanted)


def moved(
    db: Connection,
    now: datetime,
    session_id: int,
    before: datetime,
    but: Sequence[int] = (),
    names: Collection[str] = (),
) -> None:
    """It is at another time: who comes need not say it again, but may say that she cannot.

    `names`: columns that are others too. Whoever has read the invitation and said nothing reads
    the new time as well, so that nobody stands before a closed door; who has not read it gets it
    with the new time.
    """
    session = sessions.get(db, session_id)
    calls = _calls(db, session)
    reminding.keep_back(db, session.id, "moved")
    unread = _keep_back(db, session, "moved")
    said = (
        _("Another time: {session}", session=session.ref),
        _("Before: {at}", at=before),
        _("Now: {at}", at=session.starts_at),
        *_others(session, names, unread),
    )
    _tell_concerned(db, now, session, "moved", said, _still(session), but)
    _tell_silent(db, now, session, said, answers(session.id), calls, but)
    _call(db, now, session, calls, but)


def changed(
    db: Connection, now: datetime, session_id: int, names: Collection[str], but: Sequence[int] = ()
) -> None:
    """Something else of it is another: `names` of columns; of its time `moved` tells.

    Whoever may come since then is invited.
    """
    session = sessions.get(db, session_id)
    calls = _calls(db, session)
    # Whoever wanted it is called by that alone, unless all are called by their names.
    again = _CALLS if session.scope == INVITED else ("call",)
    if _others(session, names):
        reminding.keep_back(db, session.id, "changed")
        unread = _keep_back(db, session, "changed", (*again, *_CHANGES))
        first = _("Changed: {session}, {at}", session=session.ref, at=session.starts_at)
        said = (first, *_others(session, names, unread))
        _tell_concerned(db, now, session, "changed", said, _still(session), but)
        if "silent" in unread:  # another time, which they would never read now
            _tell_silent(db, now, session, said, answers(session.id), calls, but)
    else:  # all that was said of it is true
        _keep_back(db, session, "changed", again)
    _call(db, now, session, calls, but)


def cancelled(db: Connection, now: datetime, session_id: int, but: Sequence[int] = ()) -> None:
    """It does not take place; whoever has not heard of it yet never does."""
    session = sessions.get(db, session_id)
    calls = _calls(db, session)
    reminding.keep_back(db, session.id, "cancelled")
    _keep_back(db, session, "cancelled")
    said = [_("It does not take place: {session}, {at}", session=session.ref, at=session.starts_at)]
    if session.reason:
        said.append(_("Why: {reason}", reason=Ref("reasons", session.id)))
    _tell_concerned(db, now, session, "cancelled", said, (), but)
    _tell_silent(db, now, session, said, (), calls, but)


def ask_for_notes(db: Connection, now: datetime, session: Session) -> None:
    """Whoever was named to take the notes hears it, once, and may say that she cannot."""
    if session.note_taker_id is None or session.note_taker_id == session.host_id:
        return
    said = (
        _("{name} asks you to take the notes.", name=Ref("members", session.host_id or 0)),
        _("{session}, {at}", session=session.ref, at=session.starts_at),
        _("A few lines are enough, before, during or after it. Reply to this message with them."),
    )
    choices = (
        Choice(f"changes.no_notes:{session.id}", _("I cannot")),
        _details(session),
    )
    who = Audience("member", session.note_taker_id)
    message = Message(said, choices, subject=session.ref)
    key = f"session/{session.id}/notes/{session.note_taker_id}"
    tell(db, now, key, who, message, kind=KIND, expires_at=session.ends_at)


def without_notes(db: Connection, now: datetime, session: Session) -> None:
    """Whoever was to take the notes cannot; who holds it hears that, once of each."""
    said = (
        _("{name} cannot take the notes.", name=Ref("members", session.note_taker_id or 0)),
        _("{session}, {at}", session=session.ref, at=session.starts_at),
    )
    choices = (Choice(f"changes.begin:{session.id}", _("Change")), _details(session))
    who = Audience("member", session.host_id or 0)
    message = Message(said, choices, subject=session.ref)
    key = f"session/{session.id}/no_notes/{session.note_taker_id}"
    tell(db, now, key, who, message, kind=KIND, expires_at=session.ends_at)


def ask_to_hold(db: Connection, now: datetime, session: Session, *, soon: bool) -> int:
    """Nobody holds it: who takes the notes is asked; if it is soon, who facilitates too.

    How many messages that were. Who takes it makes another version of it, and is missed too.
    """
    asked = []
    if session.note_taker_id is not None and session.note_taker_id != session.host_id:
        asked.append(Audience("member", session.note_taker_id))
    if soon or not asked:
        asked.append(Audience("facilitators", session.community_id))
    message, place, until = _unheld(session), session.community_id, session.starts_at
    told = 0
    for each in asked:
        key = f"{_key(session, 'unheld')}/{session.host_id or 0}/{each.kind}"
        said = tell(db, now, key, each, message, kind=KIND, community_id=place, expires_at=until)
        told += said is not None
    return told


def _unheld(session: Session) -> Message:
    said = (
        _("Whoever was to hold a session cannot do it any more."),
        _("{session}, {at}", session=session.ref, at=session.starts_at),
        _("Would you hold it?"),
    )
    choices = (
        Choice(f"changes.take:{session.id}", _("I will")),
        Choice(f"changes.cancel:{session.id}", _("Call it off")),
        _details(session),
    )
    return Message(said, choices, subject=session.ref)


def answers(session_id: int) -> tuple[Choice, ...]:
    """What can be said to an invitation."""
    return (
        Choice(f"signup.yes:{session_id}", _("I come")),
        Choice(f"signup.maybe:{session_id}", _("Maybe")),
        Choice(f"signup.no:{session_id}", _("Not this time")),
    )


def facts(session: Session) -> list[Text]:
    """When and where it is, and what else is good to know before one comes."""
    return [_("When: {at}", at=session.starts_at), *_lines(session, usual=False).values()]


def _lines(session: Session, *, usual: bool) -> dict[str, Text]:
    """What is told of it beside its time, by column; `usual`: also what goes without saying."""
    found: dict[str, Text] = {}
    if session.place:
        found["place"] = _("Where: {place}", place=Ref("places", session.id))
    elif usual:
        found["place"] = _("Where it is will be told later.")
    if usual or session.minutes != USUAL_LENGTH:
        found["minutes"] = lasts(session.minutes)
    if session.seats:
        found["seats"] = _n("There is {n} seat.", "There are {n} seats.", n=session.seats)
    if session.languages:
        found["languages"] = spoken(session.languages)
    return found | visiting.lines(session)


def _others(session: Session, names: Collection[str], unread: Collection[str] = ()) -> list[Text]:
    """What is another; all of it, if somebody has not read what was another before."""
    every = not {"moved", "changed"}.isdisjoint(unread)
    said = [line for name, line in _lines(session, usual=True).items() if every or name in names]
    about = [_("About: {title}", title=session.title_ref)] if "title" in names else []
    return [*about, *said]


def lasts(minutes: int) -> Text:
    return _("It lasts {length}.", length=length(minutes))


def spoken(codes: Sequence[str]) -> Text:
    named = _("{name}", name=own_name(codes[0]))
    for code in codes[1:]:
        named = _("{names}, {name}", names=named, name=own_name(code))
    return _("Spoken: {languages}", languages=named)


# To whom -----------------------------------------------------------------------------------------


def _call(
    db: Connection, now: datetime, session: Session, calls: tuple[int, ...], but: Sequence[int] = ()
) -> int | None:
    """Whoever has neither heard of it nor answered; she who holds it knows."""
    one = _place(db, session)
    first = _first(session, one)
    by_name = Comers((INVITED,) if session.scope == INVITED else (), calls=calls)
    kind = "comers" if session.scope == INVITED else "called"
    who = Audience(kind, session.id, but=(session.host_id or 0, *but), comers=by_name)
    message = Message((first, *facts(session)), answers(session.id), subject=session.ref)
    key = _key(session, "call")
    return tell(
        db, now, key, who, message, kind=KIND, community_id=one, expires_at=session.starts_at
    )


def _first(session: Session, community_id: int | None) -> Text:
    title = session.title_ref
    if session.host_id is None:
        return _("You are invited: {title}", title=title)
    name = Ref("members", session.host_id)
    if community_id is None:
        return _("{name} invites you: {title}", name=name, title=title)
    where = Ref("communities", community_id)
    return _("{name} invites you in {community}: {title}", name=name, title=title, community=where)


def _place(db: Connection, session: Session) -> int | None:
    """The community, if it is for one alone: whoever leaves that is not called any more."""
    if session.scope == INVITED:
        return None
    places = sessions.list_communities(db, session.id)
    return places[0] if len(places) == 1 else None


def _tell_concerned(
    db: Connection,
    now: datetime,
    session: Session,
    what: str,
    said: Sequence[Text],
    choices: tuple[Choice, ...],
    but: Sequence[int],
) -> None:
    """Those who come or may come, and those who hold it."""
    message = Message(tuple(said), choices, subject=session.ref)
    # Elsewhere whoever was asked by name has the invitation of all.
    asked = () if session.scope == INVITED else (INVITED,)
    comers = Comers((*COUNTING_ON_IT, *asked))
    who = Audience("concerned", session.id, but=tuple(but), comers=comers)
    key, until = _key(session, what), session.ends_at
    tell(db, now, key, who, message, kind=KIND, expires_at=until)


def _tell_silent(
    db: Connection,
    now: datetime,
    session: Session,
    said: Sequence[Text],
    choices: tuple[Choice, ...],
    calls: tuple[int, ...],
    but: Sequence[int],
) -> None:
    """Those who have the invitation on their phones and said nothing to it."""
    if not calls:
        return
    open_ = session.scope != INVITED
    comers = Comers(() if open_ else (INVITED,), calls=calls, has_call=True)
    knows = (session.host_id or 0, session.note_taker_id or 0, *but)
    who = Audience("called" if open_ else "comers", session.id, but=knows, comers=comers)
    message = Message(tuple(said), choices, subject=session.ref)
    key, until, one = _key(session, "silent"), session.ends_at, _place(db, session)
    tell(db, now, key, who, message, kind=KIND, community_id=one, expires_at=until)


def _still(session: Session) -> tuple[Choice, ...]:
    return (Choice(f"signup.no:{session.id}", _("Cannot come")), _details(session))


def _details(session: Session) -> Choice:
    return Choice(f"sessions.show:{session.id}", _("Details"))


# What was said before ----------------------------------------------------------------------------


def _key(session: Session, what: str) -> str:
    return f"session/{session.id}/{session.sequence}/{what}"


def _calls(db: Connection, session: Session) -> tuple[int, ...]:
    """Its invitations, of this version and of those before."""
    return tuple(_messages(db, session, _CALLS))


def _messages(db: Connection, session: Session, whats: Collection[str]) -> Sequence[int]:
    versions = range(session.sequence + 1)
    keys = [f"session/{session.id}/{each}/{what}" for each in versions for what in whats]
    return outbox.list_ids(db, keys)


def _keep_back(
    db: Connection, session: Session, reason: str, whats: Collection[str] = _SAID
) -> set[str]:
    """What was said of it as it was, and has not left, is not said any more; what that is."""
    return {
        what
        for what in whats
        for message_id in _messages(db, session, (what,))
        if copies.keep_back(db, message_id, reason)
    }
