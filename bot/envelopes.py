"""Opening what was held: each envelope by the one who knows its kind, in its own savepoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot import logs
from bot.db import must_end
from bot.scheduler import Job
from bot.store import envelopes

AT_ONCE = 50  # envelopes in one transaction
AGAIN = timedelta(minutes=5)  # one that could not be opened is tried again

# (connection, now, id of the envelope: a key for what is said once, content)
Open = Callable[[Connection, datetime, str, Mapping[str, Any]], None]

log = logs.get("envelopes")


@dataclass(frozen=True, slots=True)
class Opener:
    """Knows what to do with one kind of envelope."""

    kind: str
    open: Open


def opens(kind: str) -> Callable[[Open], Opener]:
    """Make a function the opener of a kind; what lives in handlers/ is found."""
    return lambda function: Opener(kind, function)


def opening(openers: Iterable[Opener]) -> Job:
    """The job that opens what is due."""
    by_kind = {each.kind: each.open for each in openers}

    def work(db: Connection, now: datetime) -> dict[str, int]:
        due = envelopes.list_due(db, now, AT_ONCE)
        return {"opened": sum(_open(db, now, by_kind, id_, content) for id_, _at, content in due)}

    return Job("envelopes.open", timedelta(seconds=15), work)


def _open(
    db: Connection, now: datetime, openers: Mapping[str, Open], id_: str, content: dict[str, Any]
) -> bool:
    try:
        with db.begin_nested():
            openers[content["kind"]](db, now, id_, content)
            return envelopes.remove(db, id_)
    except Exception as error:
        if must_end(error):
            raise
        log.error("not_opened", error=type(error).__name__, where=logs.where(error))
        envelopes.postpone(db, id_, now + AGAIN)
        return False
