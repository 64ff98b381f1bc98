"""Session: any member makes one in a few questions; all who may come are invited."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot import allowances
from bot.conversation import Conversation
from bot.i18n import graphemes
from bot.messages import N_, Choice, Text, _
from bot.offers import CANCEL, CHANGE
from bot.sessions import calling, plans
from bot.sessions.calling import INVITED
from bot.smalltalk import has_words, is_small
from bot.store import communities, sessions, signups
from bot.store.audiences import Audience, Comers
from bot.store.communities import Community, Membership
from bot.timing import zone
from bot.truth import reached
from bot.turn import Turn
from bot.when import dates
from bot.when.dates import Unclear

TITLE, SAID = 100, 60  # graphemes, at most
LACKING = ("no_hour", "no_day")  # what is missing is asked for, the rest is remembered
NOT_THERE = _("You are not in that group any more.")

session = Conversation(
    "session",
    command="session",
    about=_("Plan a session"),
    words=N_("session, new session, plan a session, new meeting, plan a meeting"),
)


@session.start
def start(turn: Turn) -> None:
    """`turn.data`: what is known of it already, by the names of a plan."""
    mine = _mine(turn)
    given = dict(turn.data)
    plans.after(turn.db, given)
    if mine and given.get("community") is not None:
        mine = [each for each in mine if each.community.id == given["community"]]
        if not mine:
            return turn.say(NOT_THERE)
    if not mine:
        return _nowhere(turn)
    if len(mine) == 1:
        return _begin(turn, mine[0].community, given)
    turn.data = given
    choices = [Choice(f"group:{id_}", label) for id_, label in communities.labels(mine).items()]
    turn.ask(
        _("Which group is the session for? Others can be asked along later."),
        choices=[*choices, CANCEL],
        then=group,
    )


def _mine(turn: Turn) -> list[Membership]:
    """Where she takes part."""
    mine = communities.list_of(turn.db, turn.member.id)
    return [each for each in mine if each.may("ask", turn.now)]


def _nowhere(turn: Turn) -> None:
    if communities.list_of(turn.db, turn.member.id):
        return turn.say(_("In this group you have another role; its members plan the sessions."))
    turn.say(_("With an invite code you can join a group, and then plan sessions there."))


@session.step
def group(turn: Turn) -> None:
    if turn.choice == "cancel":
        return _drop(turn)
    found = communities.find_where(turn.db, turn.member.id, int(turn.chosen), "ask", turn.now)
    if found is None:
        return turn.say(NOT_THERE)
    _begin(turn, found, turn.data)


def _begin(turn: Turn, community: Community, given: dict[str, Any]) -> None:
    turn.data = plans.begin(community, given)
    _next(turn)


@session.action
def review(turn: Turn) -> None:
    """Go on with a plan where something is left to ask; else show it whole."""
    _next(turn)


def _next(turn: Turn) -> None:
    if not turn.data.get("title"):
        return _ask_title(turn)
    if not turn.data.get("at"):
        return _ask_when(turn)
    if "place" not in turn.data:
        return turn.start("place.ask", **turn.data)
    _show(turn)


def _drop(turn: Turn) -> None:
    turn.say(_("All right. Nothing was planned, and nobody was told."))


# What about --------------------------------------------------------------------------------------


def _ask_title(turn: Turn) -> None:
    turn.ask(
        _("What shall the session be about? One line is enough."),
        _("“I have this problem” is as good as “I know this”: nobody has to be an expert."),
        then=title,
    )


@session.step
def title(turn: Turn) -> None:
    said = " ".join(turn.text.split())
    if not has_words(said) or is_small(said):
        return turn.again(_("Please write in a few words what it shall be about."))
    if graphemes(said) > TITLE:
        return turn.again(_("That is too long for a title. Please write it in one short line."))
    turn.data["title"] = said
    _next(turn)


# When --------------------------------------------------------------------------------------------


def _ask_when(turn: Turn, *more: Text) -> None:
    """Where another time is known already, what is not said of the new one stays."""
    before = turn.data.pop("before", None)
    if before is not None:
        turn.data["said"] = _typed(turn, datetime.fromisoformat(before))
    turn.ask(
        *more,
        _(
            "When does it begin? Write the day and the hour, "
            "like: Thursday 14:00, or 14 April 10:30"
        ),
        then=when,
    )


@session.step
def when(turn: Turn) -> None:
    if turn.choice is None:
        return _read(turn)
    _read_back(turn, dates.chosen(turn.choice))


def _read(turn: Turn) -> None:
    """The day and the hour as she typed them, where the session is held."""
    there = _clocks(turn)
    found = dates.read(turn.text, turn.now, there)
    if isinstance(found, Unclear) and found.reason in LACKING and turn.data.get("said"):
        found = dates.read(turn.text, turn.now, there, turn.data["said"])
    if not isinstance(found, Unclear):
        if found.minutes is not None:
            turn.data["minutes"] = found.minutes
        return _read_back(turn, found.starts_at)
    if found.reason in LACKING:
        turn.data["said"] = turn.text[:SAID]
    if found.reason == "no_hour":  # a number alone is that hour, and no choice
        found = replace(found, suggestions=())
    listed = dates.choices(found, turn.language, there)
    first, *_moments = dates.question(found)
    moments = [plans.there_at(each, there.key) for each in found.suggestions]
    turn.ask(
        first,
        *(_("{moment}", moment=each) for each in moments),
        choices=listed,
        then=when,
        free=True,
    )


def _clocks(turn: Turn) -> ZoneInfo:
    """What she types is the time where the session is held."""
    return zone(communities.get(turn.db, turn.data["community"]).timezone)


def _typed(turn: Turn, at: datetime) -> str:
    return f"{at.astimezone(_clocks(turn)):%Y-%m-%d %H:%M}"


def _read_back(turn: Turn, at: datetime) -> None:
    """She can simply write what is another: the day, or the hour."""
    turn.data |= {"read": at.isoformat(), "said": _typed(turn, at)}
    turn.ask(
        *plans.when(turn.db, turn.data["community"], at, turn.member.id, turn.language),
        _("Is that right?"),
        choices=(Choice("yes", _("That is right")), Choice("no", _("Another time"))),
        then=right,
        free=True,
    )


@session.step
def right(turn: Turn) -> None:
    """She may also simply write another time."""
    if turn.choice is None:
        return _read(turn)
    read = turn.data.pop("read")
    if turn.choice == "no":
        return _ask_when(turn)
    turn.data.pop("said", None)
    if datetime.fromisoformat(read) <= turn.now:
        return _ask_when(turn, _("That time has passed meanwhile."))
    turn.data["at"] = read
    _next(turn)


# All of it ---------------------------------------------------------------------------------------


def _show(turn: Turn) -> None:
    new = "session" not in turn.data
    turn.ask(
        *plans.card(turn.db, turn.data, turn.member.id, turn.language),
        _("Nobody knows of it yet. Shall they be invited?")
        if new
        else _("Nothing is changed yet. When you save it, those who come are told once."),
        choices=(
            Choice("make", _("Invite them")) if new else Choice("save", _("Save")),
            CHANGE,
            CANCEL,
        ),
        then=confirm,
    )


@session.step
def confirm(turn: Turn) -> None:
    if turn.choice == "cancel" and "session" in turn.data:
        return turn.say(_("All right, nothing was changed."))
    if turn.choice == "cancel":
        return _drop(turn)
    if turn.choice == "change":
        return turn.start("details.choose", **turn.data)
    if plans.starts_at(turn.data) <= turn.now:
        del turn.data["at"]
        return _ask_when(turn, _("That time has passed meanwhile."))
    if turn.choice == "save":
        return turn.start("changes.save", **turn.data)
    _make(turn)


def _make(turn: Turn) -> None:
    plan = turn.data
    here = communities.find_where(turn.db, turn.member.id, plan["community"], "ask", turn.now)
    if here is None:
        return turn.say(NOT_THERE)
    if not allowances.take(turn.db, allowances.SESSIONS, turn.member.id, turn.now):
        return turn.say(allowances.SESSIONS.over, _("Nobody was invited."))
    mine = {each.community.id for each in _mine(turn) if not each.community.discreet}
    plans.without_strangers(turn.db, plan)
    values = {"host_id": turn.member.id} | plans.columns(plan)
    session_id = sessions.add(
        turn.db,
        turn.now,
        community_id=here.id,
        starts_at=plans.starts_at(plan),
        timezone=here.timezone,
        for_communities=[each for each in plan["for"] if each in mine and not here.discreet],
        **values,
    )
    if plan["invited"]:
        signups.invite(turn.db, session_id, plan["invited"], turn.now)
    calling.call(turn.db, turn.now, session_id)
    calling.ask_for_notes(turn.db, turn.now, sessions.get(turn.db, session_id))
    _done(turn, session_id)


def _done(turn: Turn, session_id: int) -> None:
    made = sessions.get(turn.db, session_id)
    audience = Audience("called", made.id, but=(made.host_id or 0,))
    if made.scope == INVITED:
        audience = Audience("comers", made.id, comers=Comers((INVITED,)))
    told = reached(turn.reach(audience, calling.KIND))
    turn.say(
        _("It is planned: {title}", title=made.title_ref),
        *(told or [_("Nobody else is there to be invited yet.")]),
        _("Reminders go out by themselves. Under Details you see who comes."),
        choices=(
            Choice(f"sessions.show:{made.id}", _("Details")),
            Choice(f"changes.begin:{made.id}", _("Change")),
            Choice(f"changes.cancel:{made.id}", _("Call it off")),
        ),
        subject=made.ref,
    )
