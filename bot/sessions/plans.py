"""Plans: a session as it stands in a talk before it is made, or while it is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.i18n import place_of
from bot.messages import Ref, Text, _, _n
from bot.sessions import visiting
from bot.sessions.calling import INVITED, lasts, spoken
from bot.store import communities, presence, sessions
from bot.store.communities import Community
from bot.store.sessions import REMINDERS, USUAL_LENGTH, Session
from bot.timing import zone
from bot.when.lengths import length

# What a plan knows by the names of the columns; beside these: "community", "at" (ISO), "for" (other
# communities), "invited" (members), "session" (the one that is changed).
COLUMNS = (
    "title",
    "minutes",
    "place",
    "seats",
    "languages",
    "scope",
    "note_taker_id",
    "every",
    "reminders",
)
MORE = ("kind", "seats_each", "organisation", "packing", "host_id", "follows_id", "topic_id")

Plan = dict[str, Any]  # JSON scalars and ids, as a talk keeps them


def begin(community: Community, given: Mapping[str, Any]) -> Plan:
    """With all that goes without saying."""
    usual = {
        "community": community.id,
        "minutes": USUAL_LENGTH,
        "seats": None,
        "languages": [],
        "scope": "communities",
        "for": [],
        "invited": [],
        "note_taker_id": None,
        "every": None,
        "reminders": list(REMINDERS),
    }
    return {**usual, **given, "community": community.id}


def after(db: Connection, given: Plan) -> None:
    """What is known by the session it follows, or by what called for it: `topic`, `host`."""
    for name in ("topic", "host", "follows"):
        if name in given:
            given[f"{name}_id"] = given.pop(name)
    last = sessions.find(db, given.get("follows_id") or 0)
    if last is None:
        given.pop("follows_id", None)
        return
    stays = {"minutes": last.minutes, "languages": list(last.languages)}
    given |= {"community": last.community_id, **stays, **given}
    if sessions.is_followed(db, last.id):  # each is followed by one
        del given["follows_id"]


def without_strangers(db: Connection, plan: Plan) -> None:
    """People who have left the group since they were named."""
    named = {*plan["invited"], plan["note_taker_id"], plan.get("host_id")} - {None}
    there = {each for each in named if _is_there(db, each, plan["community"])}
    plan["invited"] = [each for each in plan["invited"] if each in there]
    for name in ("note_taker_id", "host_id"):
        if plan.get(name) not in there:
            plan[name] = None


def _is_there(db: Connection, member_id: int, community_id: int) -> bool:
    found = communities.find_membership(db, member_id, community_id)
    return found is not None and found.is_active


def of(db: Connection, session: Session) -> Plan:
    """A session that is there, to be changed."""
    plan: Plan = {name: getattr(session, name) for name in COLUMNS}
    places = sessions.list_communities(db, session.id)
    return plan | {
        "session": session.id,
        "community": session.community_id,
        "at": session.starts_at.isoformat(),
        "for": [each for each in places if each != session.community_id],
        "invited": [],
        "host_id": session.host_id,
        "kind": session.kind,
        **{name: getattr(session, name) for name in ("organisation", "seats_each", "packing")},
        "languages": list(session.languages),
        "reminders": list(session.reminders),
    }


def starts_at(plan: Plan) -> datetime:
    return datetime.fromisoformat(plan["at"])


def columns(plan: Plan) -> dict[str, Any]:
    """What the store keeps of it."""
    return {name: plan[name] for name in COLUMNS} | {
        name: plan[name] for name in MORE if plan.get(name) is not None
    }


def different(plan: Plan, session: Session) -> dict[str, Any]:
    """What is another than it stands there, by column."""
    now = {name: getattr(session, name) for name in COLUMNS}
    now |= {"languages": list(session.languages), "reminders": list(session.reminders)}
    found = {name: plan[name] for name in COLUMNS if plan[name] != now[name]}
    if starts_at(plan) != session.starts_at:
        found["starts_at"] = starts_at(plan)
    return found


# In words ----------------------------------------------------------------------------------------


def card(db: Connection, plan: Plan, member_id: int, language: str) -> list[Text]:
    """Everything about it, for whoever plans it; what is as usual and tells nothing is left out."""
    said = [_("About: {title}", title=plan["title"])]
    said += when(db, plan["community"], starts_at(plan), member_id, language)
    said.append(
        _("Where: {place}", place=plan["place"])
        if plan.get("place")
        else _("Where it is will be told later.")
    )
    said.append(lasts(plan["minutes"]))
    said += visiting.planned(plan)
    said += who(plan)
    if plan["seats"]:
        said.append(_n("There is {n} seat.", "There are {n} seats.", n=plan["seats"]))
    if plan["languages"]:
        said.append(spoken(plan["languages"]))
    if plan["every"]:
        said.append(often(plan["every"]))
    if plan["note_taker_id"]:
        said.append(_("{name} takes the notes.", name=Ref("members", plan["note_taker_id"])))
    host_id = plan.get("host_id")
    if host_id and host_id != member_id:
        said.append(_("{name} holds it.", name=Ref("members", host_id)))
    if list(plan["reminders"]) != list(REMINDERS):
        said.append(reminded(plan["reminders"]))
    return said


def when(
    db: Connection, community_id: int, at: datetime, member_id: int, language: str
) -> list[Text]:
    """When it begins where it is held; and where she is, if the clocks there show another hour."""
    there = communities.get(db, community_id).timezone
    hers = presence.get(db, member_id).timezone
    said = [_("When: {at}", at=there_at(at, there))]
    if at.astimezone(zone(hers)).utcoffset() != at.astimezone(zone(there)).utcoffset():
        city = place_of(there, language)
        said = [_("When: {at}, the time of {city}", at=there_at(at, there), city=city)]
        said.append(_("Where you are it is then {at}.", at=at))
    return said


def there_at(at: datetime, timezone: str) -> Text:
    """A moment as the clocks there show it, wherever it is read."""
    local = at.astimezone(zone(timezone))
    return _("{day}, {hour}", day=local.date(), hour=f"{local:%H:%M}")


def who(plan: Plan) -> list[Text]:
    """Who may come."""
    if plan["scope"] == INVITED:
        names = joined([Ref("members", id_) for id_ in plan["invited"]])
        if names is None:
            return [_("Only those may come who were invited by name.")]
        return [_("Only these may come: {names}", names=names)]
    groups = [Ref("communities", id_) for id_ in (plan["community"], *plan["for"])]
    return [_("All in {communities} may come.", communities=joined(groups) or "")]


def joined(refs: Sequence[Ref]) -> Text | None:
    """Names one after the other, looked up when they are said."""
    found: Text | None = None
    for each in refs:
        alone = _("{name}", name=each)
        found = alone if found is None else _("{names}, {name}", names=found, name=each)
    return found


def often(weeks: int) -> Text:
    return _n("It comes again every week.", "It comes again every {n} weeks.", n=weeks)


DAY = 24 * 60
_BEFORE = {7 * DAY: _("a week"), DAY: _("a day"), 60: _("an hour")}


def reminded(minutes: Sequence[int]) -> Text:
    known = [_BEFORE.get(each) or length(each) for each in sorted(minutes, reverse=True)]
    if not known:
        return _("Nobody is reminded.")
    before = known[0]
    for each in known[1:]:
        before = _("{names}, {name}", names=before, name=each)
    return _("A reminder comes before it: {before}", before=before)
