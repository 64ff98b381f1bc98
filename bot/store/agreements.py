"""Agreements: whether a service outside may hear somebody's voice, and turn it into text."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from bot.db import insert_new
from bot.models.captions import agreements

ASK_AGAIN = timedelta(days=1)  # after "ask me later", at her next voice


@dataclass(frozen=True, slots=True)
class Agreement:
    """What she said, or that she was asked."""

    service: str
    answer: str  # asked, yes, no, later
    at: datetime

    def is_open(self, service: str, now: datetime) -> bool:
        """Whether she may be asked: never before, about another service, or later as she wished."""
        later = self.answer == "later" and self.at < now - ASK_AGAIN
        return self.service != service or later


def number_of(service: str) -> int:
    """What she taps below a question is about the service that it named."""
    return zlib.crc32(service.encode())


def find(db: Connection, member_id: int) -> Agreement | None:
    columns = (agreements.c.service, agreements.c.answer, agreements.c.at)
    row = db.execute(select(*columns).where(agreements.c.member_id == member_id)).first()
    return None if row is None else Agreement(*row)


def save(db: Connection, member_id: int, service: str, answer: str, now: datetime) -> None:
    row = {"member_id": member_id, "service": service, "answer": answer, "at": now}
    new = insert_new(db, agreements).values(row)
    db.execute(new.on_conflict_do_update(index_elements=["member_id"], set_=row))


def answer(db: Connection, member_id: int, said: str, now: datetime) -> Agreement | None:
    """Her answer about the service she was asked about; None if she never was."""
    hers = agreements.c.member_id == member_id
    db.execute(update(agreements).where(hers).values(answer=said, at=now))
    return find(db, member_id)
