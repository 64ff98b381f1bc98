"""Backups: when one was made, and what is mended in a store that came out of one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Connection,
    and_,
    delete,
    exists,
    func,
    inspect,
    literal,
    not_,
    or_,
    select,
    text,
    update,
)

from bot.columns import Moment
from bot.db import insert_new
from bot.models.outbox import GATHERED, HELD, deliveries, dispatches, lanes, messages
from bot.models.people import addresses, members, memberships
from bot.models.safeguards import backups, floors
from bot.models.talks import threads

DAY = timedelta(days=1)
RESTORED = "restored"  # why it is not sent: it probably was, after the backup
LEAST_GAP = (
    100  # question numbers that are skipped at least where it is not known how many there were
)

_MAYBE_SENT = deliveries.c.state.in_(("queued", "sending", "unknown"))


def add(db: Connection, made_at: datetime, size: int) -> None:
    new = insert_new(db, backups).values(made_at=made_at, size=size)
    db.execute(new.on_conflict_do_nothing())


def find_last(db: Connection) -> datetime | None:
    return db.execute(select(func.max(backups.c.made_at))).scalar()


def forget(db: Connection, before: datetime, most: int) -> int:
    """That one was made long ago; the last one is kept, since its age is told."""
    last = select(func.max(backups.c.made_at)).scalar_subquery()
    old = select(backups.c.made_at).where(backups.c.made_at < before, backups.c.made_at < last)
    found = list(db.execute(old.limit(most)).scalars())
    db.execute(delete(backups).where(backups.c.made_at.in_(found)))
    return len(found)


# A restored store --------------------------------------------------------------------------------


def count_others(db: Connection, application: str) -> int:
    """Other connections of ours to this PostgreSQL database."""
    statement = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE :name || '/%' AND pid <> pg_backend_pid()"
    )
    return int(db.execute(statement, {"name": application}).scalar_one())


def free_lanes(db: Connection, made_at: datetime) -> None:
    """Nobody works there; what came in since then is not known here."""
    heard_at = func.coalesce(lanes.c.heard_at, literal(made_at, Moment))
    known = {"owner": None, "leased_until": None, "paused_until": None, "paused_why": None}
    db.execute(update(lanes).values(**known, fence=lanes.c.fence + 1))
    db.execute(update(lanes).where(heard_at >= made_at).values(heard_at=made_at))


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waited when the backup was made."""

    kept_back: int  # perhaps sent since: not sent again
    looked_up: int  # perhaps sent since: the provider is asked first
    cut_short: int  # messages that had not reached everybody yet
    later: int  # not due before now, so not sent yet


def settle_waiting(db: Connection, finds: Collection[str], now: datetime) -> Waiting:
    """What may have been sent after the backup is not said twice; the rest goes on waiting.

    `finds`: the lanes whose provider can tell whether something has arrived. What is held for its
    member moves only when she writes, and waits on; what was held for an hour may have left since.
    """
    begun = exists().where(
        dispatches.c.delivery_id == deliveries.c.id,
        dispatches.c.state.in_(("sending", "unknown")),
    )
    known = and_(deliveries.c.lane.in_(finds), begun)
    due = deliveries.c.due_at <= literal(now, Moment)
    late = or_(due, deliveries.c.state != "queued")
    of_these = select(deliveries.c.id).where(_MAYBE_SENT, known)
    db.execute(
        update(dispatches)
        .where(dispatches.c.delivery_id.in_(of_these), dispatches.c.state == "sending")
        .values(state="unknown")
    )
    looked_up = db.execute(
        update(deliveries).where(_MAYBE_SENT, known).values(state="unknown", due_at=now)
    ).rowcount
    dropped = select(deliveries.c.id).where(_MAYBE_SENT, late, not_(known))
    db.execute(
        update(dispatches)
        .where(dispatches.c.delivery_id.in_(dropped))
        .values(content=None, state=_ended())
    )
    kept_back = db.execute(
        update(deliveries)
        .where(_MAYBE_SENT, late, not_(known))
        .values(state="dropped", reason=RESTORED)
    ).rowcount
    kept_back += _settle_held(db, now)
    cut_short = db.execute(
        update(messages).where(messages.c.audience.is_not(None)).values(audience=None)
    ).rowcount
    later = select(func.count()).select_from(deliveries).where(deliveries.c.state == "queued")
    return Waiting(kept_back, looked_up, cut_short, db.execute(later).scalar_one())


def _settle_held(db: Connection, now: datetime) -> int:
    """What was held for an hour that has passed was said since; nobody is nudged again today."""
    passed = deliveries.c.due_at <= literal(now, Moment)
    was_said = (HELD, deliveries.c.reason.in_((*GATHERED, "quiet", "paused")), passed)
    said = update(deliveries).where(*was_said).values(state="dropped", reason=RESTORED)
    looked = memberships.c.digest_at <= literal(now, Moment)
    db.execute(update(memberships).where(looked).values(digest_at=now + DAY))
    db.execute(update(addresses).where(addresses.c.nudges > 0).values(nudged_at=now))
    return db.execute(said).rowcount


def _ended() -> object:
    """A part that stood as being sent is not known to be."""
    state = dispatches.c.state
    return func.replace(state, "sending", "unknown")


def silence(db: Connection, member_ids: Collection[int]) -> None:
    """Nothing more is said to them, at once."""
    waits = or_(_MAYBE_SENT, deliveries.c.state == "held")
    hers = deliveries.c.member_id.in_(member_ids)
    db.execute(update(deliveries).where(hers, waits).values(state="dropped", reason="erased"))


def list_members(db: Connection, ids: Collection[int]) -> set[int]:
    """Those of them who are here and are not being forgotten already."""
    found = select(members.c.id).where(members.c.id.in_(ids), members.c.erasing_at.is_(None))
    return set(db.execute(found).scalars())


def highest_thread(db: Connection) -> int:
    """The highest question number that was given, as far as it is known here."""
    there = set(inspect(db).get_table_names())
    highest = 0
    if threads.name in there:
        highest = db.execute(select(func.max(threads.c.number))).scalar() or 0
    if floors.name in there:
        highest = max(highest, db.execute(select(func.max(floors.c.value))).scalar() or 0)
    return highest


def guess_thread(db: Connection, made_at: datetime, now: datetime) -> int:
    """A number that surely was not reached since: twice as many as in as long a time before."""
    gone_by = max(now - made_at, timedelta(days=1))
    lately = select(func.count()).where(threads.c.created_at >= made_at - gone_by)
    return highest_thread(db) + max(LEAST_GAP, 2 * int(db.execute(lately).scalar_one()))


def save_floor(db: Connection, number: int) -> None:
    """Questions are numbered above this."""
    new = insert_new(db, floors).values(name="threads", value=number)
    db.execute(new.on_conflict_do_update(index_elements=["name"], set_={"value": number}))
