"""Where a message stands: how many have it, and how the others come to it; nobody's name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from bot.models.outbox import CLOSED, deliveries, messages
from bot.models.talks import posts

FEW = 3  # of fewer, who has read it could be told one by one
_ARRIVED = ("sent", "delivered", "read")
_OWN_WISH = frozenset({"quiet", "paused", "pace", "week", "digest", "later", "summary"})
_SPARED = ("pace", "stopped")  # they want less, or nothing


@dataclass(frozen=True, slots=True)
class Standing:
    """Everybody it was meant for, but who left or was erased, counted once."""

    read: int = 0  # of those whose app tells it
    has: int = 0  # it is on their phone
    digest: int = 0  # it stands in what was gathered for them, and they have that
    way: int = 0  # it leaves just now, or is tried again
    noticed: int = 0  # were told that something waits, and open it when they can
    later: int = 0  # get it when they write to the bot again
    waits: int = 0  # get it after their quiet hours or their pause, or with what is gathered
    spared: int = 0  # have chosen to get less
    late: int = 0  # it was of no use any more when it could have come
    never: int = 0  # cannot be reached
    telling: int = 0  # how many use an app that tells who has read
    silent: int = 0  # ... and one that does not
    fans_out: bool = False  # more of them are still to come

    @property
    def names_readers(self) -> bool:
        """Whether the number of readers would tell who has read: so few, it is their own matter."""
        return self.telling < FEW


def count(
    db: Connection, message_id: int, but: int, telling: Collection[str], now: datetime
) -> Standing:
    """Without `but`, who said it; `telling`: lanes whose provider says what was read."""
    found: Counter[str] = Counter()
    for row in db.execute(_deliveries(message_id, but, now)):
        fate = _fate(row)
        if fate is not None:
            found[fate] += row.many
            found["telling" if row.lane in telling else "silent"] += row.many
    audience = select(messages.c.audience).where(messages.c.id == message_id)
    return Standing(**found, fans_out=db.execute(audience).scalar() is not None)


def _deliveries(message_id: int, but: int, now: datetime) -> Any:
    instead = deliveries.alias()  # the digest or summary that says it
    ahead = deliveries.c.due_at > now
    columns = (deliveries.c.state, deliveries.c.reason, deliveries.c.lane)
    return (
        select(*columns, ahead.label("ahead"), instead.c.state.label("instead"))
        .add_columns(func.count().label("many"))
        .select_from(deliveries)
        .outerjoin(
            instead,
            (instead.c.message_id == deliveries.c.folded_id)
            & (instead.c.member_id == deliveries.c.member_id),
        )
        .where(deliveries.c.message_id == message_id, deliveries.c.member_id != but)
        .group_by(*columns, ahead, instead.c.state)
    )


def _fate(row: Any) -> str | None:
    """A field of Standing; None: she is not there any more, or it was taken back."""
    match row.state:
        case "read":
            return "read"
        case "sent" | "delivered":
            return "has"
        case "folded":
            return _folded(row.instead)
        case "held":
            if row.reason in CLOSED:
                return "later"
            return {"discreet": "noticed", "doubt": "never"}.get(row.reason, "waits")
        case "failed":
            return "never"
        case "dropped":
            return _dropped(row.reason)
        case "queued" if row.ahead and row.reason in _OWN_WISH:
            return "waits"
    return "way"


def _folded(instead: str | None) -> str:
    """What says it instead may itself wait, or have failed."""
    if instead is None or instead in _ARRIVED:
        return "digest"
    return "never" if instead in ("failed", "dropped") else "waits"


def _dropped(reason: str | None) -> str | None:
    if reason in _SPARED:
        return "spared"
    return "late" if reason == "expired" else None


def find_announcement(db: Connection, author_id: int, since: datetime) -> int | None:
    """The last thing she announced since then, and did not take back."""
    statement = (
        select(posts.c.id)
        .where(
            posts.c.author_id == author_id,
            posts.c.created_at >= since,
            posts.c.kind == "announcement",
            posts.c.state == "live",
        )
        .order_by(posts.c.created_at.desc(), posts.c.id.desc())
        .limit(1)
    )
    return db.execute(statement).scalar()
