"""Hosting travels: who held a session asks a member to hold the next one, and says how it goes.

Nobody is appointed: any member may make a session. She is asked once, and "not now" is fine.
"""

from __future__ import annotations

from bot import allowances
from bot.conversation import Conversation
from bot.messages import N_, Choice, Ref, Text, _
from bot.offers import CANCEL
from bot.store import attendance, communities, members, sessions
from bot.store.audiences import Audience
from bot.store.sessions import CANCELLED, Session
from bot.turn import Turn

NAMED = 7  # people to choose from; others are written by name
LABEL = 20  # graphemes

hosting = Conversation("hosting", words=N_("next host, ask a host"))


@hosting.start
def start(turn: Turn) -> None:
    """For the latest session that she held."""
    found = attendance.find_held(turn.db, turn.member.id, turn.now)
    if found is None:
        return turn.say(
            _("Who has held a session asks the next host. Anybody can hold one: write SESSION.")
        )
    _begin(turn, found)


@hosting.action
def begin(turn: Turn) -> None:
    _begin(turn, turn.argument)


def _begin(turn: Turn, session_id: int) -> None:
    session = _mine(turn, session_id)
    if session is None:
        return turn.start("attendance.gone")
    turn.data = {"session": session.id}
    turn.ask(
        _("Who could hold the next session? It need not be an expert."),
        _("Choose, or write the name as the group sees it."),
        choices=(*_people(turn, session), CANCEL),
        then=who,
        free=True,
    )


def _mine(turn: Turn, session_id: int) -> Session | None:
    """The host, or who facilitates in its community."""
    session = sessions.find(turn.db, session_id)
    if session is None or session.state == CANCELLED:
        return None
    if session.is_led_by(turn.member.id):
        return sessions.find_for(turn.db, session_id, turn.member.id)
    leads = communities.find_where(turn.db, turn.member.id, session.community_id, "desk", turn.now)
    return None if leads is None else session


def _people(turn: Turn, session: Session) -> list[Choice]:
    """Who was there, or comes; in a discreet community nobody is listed."""
    if communities.get(turn.db, session.community_id).discreet:
        return []
    found = [each.member_id for each in attendance.list_comers(turn.db, session.id)]
    others = [id_ for id_ in found if id_ not in (turn.member.id, session.host_id)]
    return [
        Choice(f"member:{id_}", _("{name}", name=Ref("members", id_, LABEL)))
        for id_ in others[:NAMED]
    ]


@hosting.step
def who(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nobody was asked."))
    session = _mine(turn, turn.data["session"])
    if session is None:
        return turn.start("attendance.gone")
    member_id = _named(turn, session)
    if member_id is None:
        return turn.again(
            _("I do not find one person of this name in the group. Write it once more:")
        )
    if member_id == turn.member.id:
        return turn.start("hosting.explain", session=session.id)
    _ask(turn, session, member_id)


def _named(turn: Turn, session: Session) -> int | None:
    """One who takes part in its community."""
    found = [int(turn.chosen)] if turn.choice else []
    found = found or members.find_by_name(turn.db, session.community_id, turn.text)
    if len(found) != 1:
        return None
    theirs = communities.find_membership(turn.db, found[0], session.community_id)
    return found[0] if theirs is not None and theirs.may("ask", turn.now) else None


def _ask(turn: Turn, session: Session, member_id: int) -> None:
    if not allowances.take(turn.db, allowances.ROLE_OFFERS, turn.member.id, turn.now):
        return turn.say(allowances.ROLE_OFFERS.over)
    asked = turn.tell(
        Audience("member", member_id),
        _(
            "{name} asks whether you would hold the next session of {community}.",
            name=Ref("members", turn.member.id),
            community=Ref("communities", session.community_id),
        ),
        _("You need not be an expert: a question you have is a good beginning. I do the rest."),
        kind="session",
        choices=(
            Choice(f"hosting.accept:{session.id}", _("I will")),
            Choice(f"hosting.decline:{session.id}", _("Not now")),
        ),
        subject=session.ref,
        community_id=session.community_id,
        once=f"hosting/{session.id}/{member_id}",
    )
    name = Ref("members", member_id)
    if asked is None:
        return turn.say(_("{name} was asked already.", name=name))
    turn.say(_("{name} is asked. You hear what comes of it.", name=name))


# The one who is asked ----------------------------------------------------------------------------


@hosting.action
def accept(turn: Turn) -> None:
    """[I will]"""
    session = _theirs(turn)
    if session is None:
        return turn.start("attendance.gone")
    told = _("{name} will hold the next session.", name=Ref("members", turn.member.id))
    _tell(turn, session, told, "accepted")
    turn.start("hosting.explain", session=session.id)


@hosting.action
def decline(turn: Turn) -> None:
    """[Not now]: nothing is kept of it."""
    session = _theirs(turn)
    if session is None:
        return turn.start("attendance.gone")
    told = _("{name} cannot hold it just now. That is fine.", name=Ref("members", turn.member.id))
    _tell(turn, session, told, "declined")
    turn.say(_("All right. Perhaps another time."))


def _theirs(turn: Turn) -> Session | None:
    """Of a community in which she still takes part."""
    session = sessions.find(turn.db, turn.argument)
    place = session and communities.find_where(
        turn.db, turn.member.id, session.community_id, "ask", turn.now
    )
    return session if place else None


def _tell(turn: Turn, session: Session, said: Text, what: str) -> None:
    """Who held the one before hears it once; where there is nobody, who facilitates."""
    audience = Audience("facilitators", session.community_id, but=(turn.member.id,))
    if session.host_id not in (None, turn.member.id):
        audience = Audience("member", session.host_id or 0)
    again = Choice(f"hosting.begin:{session.id}", _("Ask somebody else"))
    turn.tell(
        audience,
        said,
        kind="session",
        choices=(again,) if what == "declined" else (),
        subject=session.ref,
        community_id=session.community_id,
        once=f"hosting/{session.id}/{turn.member.id}/{what}",
    )


@hosting.action
def explain(turn: Turn) -> None:
    """What hosts do, in three short messages; then the session is made. Data has the one before."""
    turn.say(
        _("What a host does, first: choose a day, and say what it is about. I invite the others.")
    )
    turn.say(
        _(
            "Second: open the talk. Let everybody say what they tried. "
            "“I have this problem” is as good as “I know this”."
        )
    )
    turn.say(
        _(
            "Third: ask somebody to write notes. I remind who comes, "
            "and bring the notes to the group."
        )
    )
    turn.start("session.start", follows=turn.data["session"])
