"""Holdings: everything that is kept about one member, page by page, for her own eyes only."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from bot.models.outbox import SETTLED, deliveries
from bot.models.people import addresses, members, memberships
from bot.models.rhythm import contents, opinions, wordings
from bot.models.safeguards import reports
from bot.models.talks import bubbles, follows, inbox, posts, threads

PAGE = 300  # rows of one look
_REACHED = ("sent", "delivered", "read")


@dataclass(frozen=True, slots=True)
class About:
    """Herself, her apps, her groups."""

    member: Any  # the columns of members
    addresses: Sequence[Any]  # lane, sealed, preferred, linked_at, created_at, last_inbound_at
    groups: Sequence[Any]  # community_id, role, state, pace, created_at
    names: Mapping[int, Mapping[str, str]]  # of her groups, by community and language
    follows: Sequence[int]  # numbers of threads
    heard: Mapping[str, Any]  # count, first, last


@dataclass(frozen=True, slots=True)
class Written:
    """One bubble of a post."""

    at: datetime
    thread: int | None  # its number
    kind: str  # question, answer, reply, outcome, announcement, response
    state: str  # draft, waiting, live, hidden, kept
    file: str | None  # voice, photo, ... of what is no text
    text: str
    unnamed: bool  # without her name
    of_few: bool  # given to the facilitators alone


def find(db: Connection, address_id: int) -> About | None:
    """What is kept about whoever has this address."""
    hers = select(addresses.c.member_id).where(addresses.c.id == address_id).scalar_subquery()
    member = db.execute(select(members).where(members.c.id == hers)).first()
    if member is None:
        return None
    chats = select(addresses).where(addresses.c.member_id == member.id).order_by(addresses.c.id)
    groups = select(memberships).where(memberships.c.member_id == member.id)
    followed = (
        select(threads.c.number)
        .join(follows, follows.c.thread_id == threads.c.id)
        .where(follows.c.member_id == member.id, ~follows.c.muted)
        .order_by(threads.c.number)
    )
    return About(
        member,
        db.execute(chats).all(),
        db.execute(groups.order_by(memberships.c.id)).all(),
        _names(db, member.id),
        list(db.execute(followed).scalars()),
        _heard(db, member.id),
    )


def _names(db: Connection, member_id: int) -> Mapping[int, Mapping[str, str]]:
    statement = (
        select(contents.c.community_id, wordings.c.language, wordings.c.text)
        .join(wordings, wordings.c.content_id == contents.c.id)
        .join(memberships, memberships.c.community_id == contents.c.community_id)
        .where(memberships.c.member_id == member_id, contents.c.kind == "name")
    )
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for row in db.execute(statement):
        found[row.community_id][row.language] = row.text
    return found


def _heard(db: Connection, member_id: int) -> Mapping[str, Any]:
    at = deliveries.c.due_at
    statement = select(
        func.count().label("count"), func.min(at).label("first"), func.max(at).label("last")
    ).where(deliveries.c.member_id == member_id, SETTLED, deliveries.c.state.in_(_REACHED))
    return dict(db.execute(statement).one()._mapping)


def list_written(
    db: Connection, member_id: int, after: int, linked: Sequence[int] | None = None
) -> tuple[list[Written], int | None]:
    """What she wrote with her name, or in these threads without it; and where to go on."""
    hers = posts.c.author_id == member_id
    if linked is not None:
        own = posts.c.kind.in_(("question", "reply", "outcome"))
        hers = and_(posts.c.author_id.is_(None), posts.c.thread_id.in_(linked), own)
    statement = (
        select(
            bubbles.c.id,
            bubbles.c.created_at,
            bubbles.c.kind.label("file"),
            bubbles.c.text,
            posts.c.kind,
            posts.c.state,
            posts.c.seen_by,
            threads.c.number,
        )
        .join(posts, posts.c.id == bubbles.c.post_id)
        .outerjoin(threads, threads.c.id == posts.c.thread_id)
        .where(hers, bubbles.c.id > after)
        .order_by(bubbles.c.id)
        .limit(PAGE)
    )
    rows = db.execute(statement).all()
    found = [
        Written(
            row.created_at,
            row.number,
            row.kind,
            row.state,
            None if row.file == "text" else row.file,
            row.text,
            linked is not None,
            row.state == "live" and row.seen_by == "facilitators",
        )
        for row in rows
    ]
    return found, rows[-1].id if len(rows) == PAGE else None


def list_opinions(db: Connection, member_id: int) -> list[tuple[bool, str]]:
    """What she found useful, or not, of what is said every week: in her language, if it is."""
    code = select(members.c.language).where(members.c.id == member_id).scalar_subquery()
    hers, source = wordings.alias(), wordings.alias()
    statement = (
        select(opinions.c.useful, func.coalesce(hers.c.text, source.c.text, ""))
        .join(contents, contents.c.id == opinions.c.content_id)
        .outerjoin(hers, and_(hers.c.content_id == contents.c.id, hers.c.language == code))
        .outerjoin(
            source,
            and_(source.c.content_id == contents.c.id, source.c.language == contents.c.language),
        )
        .where(opinions.c.member_id == member_id)
        .order_by(opinions.c.given_at, contents.c.id)
    )
    return [(bool(useful), text) for useful, text in db.execute(statement)]


def list_linked(db: Connection, member_id: int, after: int) -> tuple[list[int], int | None]:
    """Threads she asked without her name: only the sealed link tells; and where to go on."""
    statement = (
        select(threads.c.id, threads.c.asker)
        .where(threads.c.asker.is_not(None), threads.c.id > after)
        .order_by(threads.c.id)
        .limit(PAGE)
    )
    rows = db.execute(statement).all()
    hers = [row.id for row in rows if (row.asker or {}).get("member") == member_id]
    return hers, rows[-1].id if len(rows) == PAGE else None


def list_reported(db: Connection, member_id: int, after: int) -> tuple[list[datetime], int | None]:
    """When she reported a concern, if it is known that it was she; and where to go on."""
    statement = select(reports.c.id, reports.c.reporter, reports.c.created_at).where(
        reports.c.id > after, reports.c.reporter.is_not(None)
    )
    rows = db.execute(statement.order_by(reports.c.id).limit(PAGE)).all()
    hers = [row.created_at for row in rows if (row.reporter or {}).get("member") == member_id]
    return hers, rows[-1].id if len(rows) == PAGE else None


def list_raw(
    db: Connection, address_ids: Sequence[int], after: int
) -> tuple[list[tuple[datetime, str]], int | None]:
    """What came from her as it came, as long as that is kept; and where to go on."""
    statement = (
        select(inbox.c.id, inbox.c.payload, inbox.c.received_at)
        .where(
            inbox.c.address_id.in_(address_ids), inbox.c.payload.is_not(None), inbox.c.id > after
        )
        .order_by(inbox.c.id)
        .limit(PAGE)
    )
    rows = db.execute(statement).all()
    found = [(row.received_at, _said(row.payload)) for row in rows]
    return found, rows[-1].id if len(rows) == PAGE else None


def _said(payload: str) -> str:
    """Her words, or what kind of thing it was."""
    try:
        event = json.loads(payload)
        return event.get("text") or ", ".join(each["kind"] for each in event.get("files", ()))
    except (ValueError, AttributeError, TypeError, KeyError):
        return ""
