"""Who wrote: the member behind an address, found by any of her names there, or added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from bot import seals
from bot.db import Collision, insert_new, insert_returning, locking_once
from bot.models.people import address_keys, addresses, members
from bot.models.talks import conversations

FRESH = timedelta(days=7)  # after linking; the other app is told meanwhile


@dataclass(frozen=True, slots=True)
class Member:
    """A person as a turn sees her."""

    id: int
    state: str  # new, active, stopped, group
    language: str | None
    name: str | None
    discreet: bool  # who sees her phone learns nothing
    answers: int  # threads she has answered in
    timezone: str | None = None
    paused_until: datetime | None = None
    has_secret: bool = False  # some things are shown only after her secret word


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, from which address, and where she is in a talk."""

    member: Member
    address_id: int
    lane: str
    unreachable: bool
    last_inbound_at: datetime | None
    wrong_codes: int
    wrong_codes_since: datetime | None
    conversation: dict[str, Any] | None
    conversation_expires_at: datetime | None
    preferred: bool  # unasked messages come here
    first_choice: bool  # her wish that they do
    linked_at: datetime | None  # as her second app: it shows nothing from before
    doubted_at: datetime | None  # perhaps somebody else has it now
    unlocked_until: datetime | None  # the secret word was given here
    heard_since: datetime | None  # the minute in which ...
    heard_count: int  # ... so much came
    offer_at: datetime | None = None  # from when on she is asked about what waited for her window
    changed: bool = False  # came with another user id than we knew for this number

    def is_fresh(self, now: datetime) -> bool:
        """Linked so lately that it may not change what belongs to her other app."""
        return self.linked_at is not None and self.linked_at > now - FRESH

    def knows(self, at: datetime) -> bool:
        """Whether what is of that moment may be shown here as hers."""
        return self.linked_at is None or at >= self.linked_at


_SENDER = (
    select(
        addresses.c.id.label("address_id"),
        addresses.c.lane,
        addresses.c.unreachable_at,
        addresses.c.last_inbound_at,
        addresses.c.wrong_codes,
        addresses.c.wrong_codes_since,
        members.c.id.label("member_id"),
        members.c.state,
        members.c.language,
        members.c.name,
        members.c.discreet,
        members.c.answers,
        members.c.timezone,
        members.c.paused_until,
        members.c.secret.is_not(None).label("has_secret"),
        addresses.c.preferred,
        addresses.c.first_choice,
        addresses.c.linked_at,
        addresses.c.doubted_at,
        addresses.c.unlocked_until,
        addresses.c.heard_since,
        addresses.c.heard_count,
        addresses.c.offer_at,
        conversations.c.state.label("conversation"),
        conversations.c.expires_at,
        address_keys.c.key,
        address_keys.c.name.is_(None).label("unnamed"),
    )
    .select_from(address_keys)
    .join(addresses, addresses.c.id == address_keys.c.address_id)
    .join(members, members.c.id == addresses.c.member_id)
    .outerjoin(conversations, conversations.c.address_id == addresses.c.id)
    .where(address_keys.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(addresses.c.id)
)
# Not against foreign keys: turns that tell each other something must not wait in a circle.
_BY_KEYS = locking_once(_SENDER, of=addresses, key_share=True)


def key_of(lane: str, name: str) -> bytes:
    """The lookup of one name of an address on a lane, as it is written."""
    return seals.lookup("address_keys.key", lane, name)


def keys_of(lane: str, name: str) -> list[bytes]:
    """All that it may have been written as; the newest first."""
    return seals.lookups("address_keys.key", lane, name)


def meet(
    db: Connection, lane: str, names: Sequence[str], now: datetime, *, group: bool = False
) -> tuple[Sender, bool]:
    """The sender by any of her names at the provider, locked; and whether she is new to us."""
    named = {key: name for name in names for key in keys_of(lane, name)}
    rows = _rows_by_keys(db, list(named))
    if not rows:
        add(db, lane, names, now, state="group" if group else "new")
        return _sender(_rows_by_keys(db, list(named))[0]), True
    # Names that point to different people are never merged: the first name decides.
    row = min(rows, key=lambda each: names.index(named[bytes(each.key)]))
    known = {named[bytes(each.key)] for each in rows}
    hers = {named[bytes(each.key)] for each in rows if each.address_id == row.address_id}
    is_new = named[bytes(row.key)] == names[0] and any(name not in hers for name in names)
    changed = is_new and _has_others(db, row.address_id, list(named))
    _add_keys(db, row.address_id, lane, [name for name in names if name not in known])
    for each in rows:
        if each.unnamed:
            _name_key(db, lane, each.key, named[bytes(each.key)])
    return replace(_sender(row), changed=changed), False


def _has_others(db: Connection, address_id: int, keys: list[bytes]) -> bool:
    """Whether an address is known by another name too: a SIM that was given on has two ids."""
    statement = select(address_keys.c.key).where(
        address_keys.c.address_id == address_id, address_keys.c.key.not_in(keys)
    )
    return db.execute(statement.limit(1)).first() is not None


def _rows_by_keys(db: Connection, keys: list[bytes]) -> Sequence[Row[Any]]:
    return db.execute(_BY_KEYS[db.dialect.name], {"keys": keys}).all()


def _sender(row: Row[Any]) -> Sender:
    return Sender(
        member=_member(row),
        address_id=row.address_id,
        lane=row.lane,
        unreachable=row.unreachable_at is not None,
        last_inbound_at=row.last_inbound_at,
        wrong_codes=row.wrong_codes,
        wrong_codes_since=row.wrong_codes_since,
        conversation=row.conversation,
        conversation_expires_at=row.expires_at,
        preferred=row.preferred,
        first_choice=row.first_choice,
        linked_at=row.linked_at,
        doubted_at=row.doubted_at,
        unlocked_until=row.unlocked_until,
        heard_since=row.heard_since,
        heard_count=row.heard_count,
        offer_at=row.offer_at,
    )


def _member(row: Row[Any]) -> Member:
    return Member(
        id=row.member_id,
        state=row.state,
        language=row.language,
        name=row.name,
        discreet=row.discreet,
        answers=row.answers,
        timezone=row.timezone,
        paused_until=row.paused_until,
        has_secret=row.has_secret,
    )


def add(db: Connection, lane: str, names: Sequence[str], now: datetime, *, state: str) -> int:
    """A new member with one address. Raises Collision if somebody was first."""
    [member_id] = insert_returning(db, members, [{"state": state, "created_at": now}])
    address = {
        "member_id": member_id,
        "lane": lane,
        "sealed": names[0],
        "preferred": True,
        "created_at": now,
    }
    [address_id] = insert_returning(db, addresses, [address])
    _add_keys(db, address_id, lane, names)
    return member_id


def _add_keys(db: Connection, address_id: int, lane: str, names: Sequence[str]) -> None:
    """The name goes with the key, sealed: with another lookup key it is made anew."""
    for name in names:
        new = insert_new(db, address_keys).values(
            key=key_of(lane, name), address_id=address_id, name=name
        )
        if not db.execute(new.on_conflict_do_nothing()).rowcount:
            raise Collision


def _name_key(db: Connection, lane: str, key: bytes, name: str) -> None:
    """A key from before names were kept; one of an older lookup key is made anew."""
    keys = keys_of(lane, name)
    write = key_of(lane, name)
    outdated = keys.index(bytes(key)) > keys.index(write)
    db.execute(
        update(address_keys)
        .where(address_keys.c.key == key)
        .values(key=write if outdated else key, name=name)
    )


def readdress(db: Connection, lane: str, old: str, new: str, now: datetime) -> bool:
    """A chat has another name at its provider now; told again, nothing changes any more.

    The old name stays hers too: what comes late from there is still from her.
    """
    here = _address_of(db, lane, old)
    there = _address_of(db, lane, new)
    if here is None or here == there:
        return False
    if there is not None:  # she was heard there before we were told: that one is used
        gone = update(addresses).where(addresses.c.id == here)
        db.execute(gone.values(unreachable_at=now))
        return False
    db.execute(update(addresses).where(addresses.c.id == here).values(sealed=new))
    _add_keys(db, here, lane, [new])
    return True


def _address_of(db: Connection, lane: str, name: str) -> int | None:
    keys = address_keys.c.key.in_(keys_of(lane, name))
    return db.execute(select(address_keys.c.address_id).where(keys)).scalar()


def find_by_address(db: Connection, lane: str, name: str) -> int | None:
    """The member id behind an address, if we know it."""
    statement = (
        select(addresses.c.member_id)
        .join(address_keys, address_keys.c.address_id == addresses.c.id)
        .where(address_keys.c.key.in_(keys_of(lane, name)))
    )
    found: int | None = db.execute(statement).scalar()
    return found


def add_ready(
    db: Connection, lane: str, address: str, now: datetime, **values: object
) -> tuple[int, int | None]:
    """A member who needs no welcome, for a demo: her id, and the id of her address if it is new."""
    found = find_by_address(db, lane, address)
    if found is not None:
        return found, None
    member_id = add(db, lane, [address], now, state="active")
    db.execute(update(members).where(members.c.id == member_id).values(**values))
    spoke = update(addresses).where(addresses.c.member_id == member_id)
    spoke = spoke.values(last_inbound_at=now).returning(addresses.c.id)
    return member_id, db.execute(spoke).scalar_one()
