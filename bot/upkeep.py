"""The machine's own jobs: forget what nobody needs any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from bot import ledgers
from bot.scheduler import Counts, Progress, job
from bot.store import (
    backups,
    captions,
    forgetting,
    keyed,
    ledger,
    media,
    programmes,
    retention,
    secrets,
)
from bot.store.programmes import Retention

BATCH = 200  # rows in one transaction
OCCURRENCES_LAST = timedelta(days=60)
ERASURES_LAST = timedelta(days=30)  # of a lane that nobody works on any more
OPEN_LINKS_LAST = timedelta(days=365)  # from a question that is never closed to its asker

Sweep = Callable[[Connection, Retention, datetime], int]

SWEEPS: dict[str, Sweep] = {
    "raw_inbound": lambda db, kept, now: retention.empty_inbox(
        db, now - timedelta(days=kept.raw_inbound), BATCH
    ),
    "conversations": lambda db, kept, now: retention.forget_conversations(
        db, now, timedelta(days=kept.unfinished_conversations), BATCH
    ),
    "drafts": lambda db, kept, now: retention.forget_drafts(
        db, now - timedelta(days=kept.unfinished_conversations), BATCH
    ),
    "sealed_links": lambda db, kept, now: retention.unlink_askers(
        db, now - timedelta(days=kept.sealed_links), now - OPEN_LINKS_LAST, BATCH
    ),
    "strangers": lambda db, kept, now: forgetting.begin_with_strangers(
        db, now - timedelta(days=kept.raw_inbound), now, BATCH // 10
    ),
    "audit": lambda db, kept, now: retention.forget_audit(
        db, now - timedelta(days=kept.audit), BATCH
    ),
    "codes": lambda db, kept, now: retention.forget_codes(db, now, BATCH),
    "tallies": lambda db, kept, now: retention.forget_tallies(db, now, BATCH),
    "erasures": lambda db, kept, now: retention.forget_erasures(db, now - ERASURES_LAST, BATCH),
    "backups": lambda db, kept, now: backups.forget(db, now - ledgers.LASTS, BATCH),
    "ledger": lambda db, kept, now: ledger.forget(db, now - ledgers.LASTS, BATCH),
    "places": lambda db, kept, now: retention.empty_sessions(
        db, now - retention.PLACES_LAST, BATCH
    ),
    "answers": lambda db, kept, now: retention.forget_answers(
        db, now - retention.ANSWERS_LAST, BATCH
    ),
    "notes": lambda db, kept, now: retention.forget_notes(db, now - retention.NOTES_LAST, BATCH),
    "captions": lambda db, kept, now: captions.forget(db, now, BATCH),
    "settled": lambda db, kept, now: retention.forget_settled(
        db, now - retention.SETTLED_LAST, BATCH
    ),
    "media": lambda db, kept, now: media.drop_unused(db, now, BATCH),
    "occurrences": lambda db, kept, now: retention.forget_occurrences(
        db, now - OCCURRENCES_LAST, BATCH
    ),
}
TABLES = (
    "inbox", "conversations", "posts", "bubbles", "threads", "audit", "codes", "erasures",
    "sessions", "signups", "needs", "records", "tasks", "topics", "media", "captions",
)  # fmt: skip


@job(every=timedelta(hours=1))
def forget(db: Connection, now: datetime) -> Counts | Progress:
    """What the programmes want kept so long and no longer, kind by kind."""
    return _sweep(list(SWEEPS), False, db, now)


def _sweep(kinds: list[str], some: bool, db: Connection, now: datetime) -> Counts | Progress:
    """One batch of the first kind; `some`: something was removed that must leave the files."""
    kind, *rest = kinds
    count = SWEEPS[kind](db, programmes.get_retention(db), now)
    some = some or count > 0
    left = kinds if count == BATCH else rest
    if left:
        return Progress({kind: count}, then=partial(_sweep, left, some))
    return Progress({kind: count}, scrub=TABLES if some else ())


@job(every=timedelta(minutes=5))
def forget_old_lookups(db: Connection, now: datetime) -> dict[str, int]:
    """Some days after a rotation nothing is found by the older lookup key: it goes, bit by bit."""
    rotating = secrets.get_rotating(db)
    switched_at = rotating.switched_at
    if not rotating.old or not rotating.renewed or switched_at is None:
        return {}
    if now < switched_at + keyed.EDITED or keyed.count_unnamed(db):
        return {}
    dropped = keyed.drop_bubble_keys(db, switched_at, BATCH)
    if dropped == 0:
        secrets.forget_old(db)
    return {"bubbles": dropped}
