"""Readership: who reads which editions together, where, and in which messages they stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Select, func, select

from bot.db import insert_new
from bot.models.outbox import messages
from bot.models.people import communities, members, memberships
from bot.models.rhythm import edition_messages, editions, schedules
from bot.roles import TAKING_PART
from bot.timing import SPARED


def list_strange(db: Connection, told: Collection[tuple[int, int, int]]) -> set[int]:
    """(delivery, member, message): those that say something of a community that is not hers now."""
    found = set()
    statement = (
        select(edition_messages.c.message_id, editions.c.community_id)
        .join(editions, editions.c.id == edition_messages.c.edition_id)
        .where(edition_messages.c.message_id.in_({message for _id, _member, message in told}))
    )
    places: dict[int, set[int]] = defaultdict(set)
    for message_id, community_id in db.execute(statement):
        places[message_id].add(community_id)
    hers: dict[int, set[int]] = defaultdict(set)
    inside = select(memberships.c.member_id, memberships.c.community_id).where(
        memberships.c.member_id.in_({member for _id, member, _message in told}),
        memberships.c.state == "active",
        memberships.c.role.in_(TAKING_PART),
        memberships.c.pace.not_in(SPARED),
    )
    for member_id, community_id in db.execute(inside):
        hers[member_id].add(community_id)
    for id_, member_id, message_id in told:
        if not places[message_id] <= hers[member_id]:
            found.add(id_)
    return found


def list_zones(db: Connection, community_id: int) -> list[str]:
    """Where those are who take part; who has no zone is where the community is."""
    statement = (
        select(func.coalesce(members.c.timezone, communities.c.timezone))
        .join(memberships, memberships.c.member_id == members.c.id)
        .join(communities, communities.c.id == memberships.c.community_id)
        .where(memberships.c.community_id == community_id, memberships.c.state == "active")
        .distinct()
    )
    return sorted(db.execute(statement).scalars())


def list_messages(db: Connection, edition_id: int) -> list[int]:
    """The messages that say it."""
    its = edition_messages.c.edition_id == edition_id
    return list(db.execute(select(edition_messages.c.message_id).where(its)).scalars())


def find_message(db: Connection, edition_ids: Sequence[int]) -> int | None:
    """The message that says these, and no others."""
    parts = edition_messages
    first = select(parts.c.message_id).where(parts.c.edition_id == edition_ids[0])
    found: dict[int, set[int]] = defaultdict(set)
    for row in db.execute(select(parts).where(parts.c.message_id.in_(first))):
        found[row.message_id].add(row.edition_id)
    return next((id_ for id_, said in found.items() if said == set(edition_ids)), None)


def add_message(db: Connection, message_id: int, edition_ids: Sequence[int]) -> None:
    rows = [{"message_id": message_id, "edition_id": id_} for id_ in edition_ids]
    db.execute(insert_new(db, edition_messages).on_conflict_do_nothing(), rows)


def is_under_way(db: Connection, message_id: int) -> bool:
    """Whether its last fan-out has not reached everybody yet."""
    statement = select(messages.c.audience).where(messages.c.id == message_id)
    return db.execute(statement).scalar() is not None


def list_sets(
    db: Connection,
    community_id: int,
    edition_ids: Sequence[int],
    whole: Collection[str],
    unread: Collection[tuple[int, str]],
) -> set[tuple[int, ...]]:
    """Which of these editions belong together for somebody in this community and in another.

    `whole`, `unread`: as in bot/store/audiences.py's Readers.
    """
    inside, theirs = memberships.alias(), memberships.alias()
    several = (
        select(theirs.c.member_id, members.c.rhythm, members.c.language, editions.c.id)
        .add_columns(editions.c.kind, schedules.c.every)
        .join(inside, inside.c.member_id == theirs.c.member_id)
        .join(members, members.c.id == theirs.c.member_id)
        .join(editions, editions.c.community_id == theirs.c.community_id)
        .join(schedules, schedules.c.id == editions.c.schedule_id)
        .where(
            inside.c.community_id == community_id,
            theirs.c.state == "active",
            theirs.c.role.in_(TAKING_PART),
            theirs.c.pace.not_in(SPARED),
            editions.c.id.in_(edition_ids),
            theirs.c.member_id.in_(_in_others(community_id, edition_ids)),
        )
    )
    found: dict[int, set[int]] = defaultdict(set)
    for member_id, rhythm, language, edition_id, kind, every in db.execute(several):
        wants = rhythm in whole or rhythm == kind or (rhythm == "fortnight" and every > 1)
        if wants and (edition_id, language) not in unread:
            found[member_id].add(edition_id)
    return {tuple(sorted(each)) for each in found.values()}


def _in_others(community_id: int, edition_ids: Sequence[int]) -> Select[tuple[int]]:
    others = select(editions.c.community_id).where(
        editions.c.id.in_(edition_ids), editions.c.community_id != community_id
    )
    return select(memberships.c.member_id).where(memberships.c.community_id.in_(others))


def count_readers(db: Connection, community_id: int, language: str) -> int:
    """How many there read this language."""
    statement = (
        select(func.count())
        .select_from(memberships)
        .join(members, members.c.id == memberships.c.member_id)
        .where(
            memberships.c.community_id == community_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
            members.c.state == "active",
            members.c.language == language,
        )
    )
    return db.execute(statement).scalar_one()
