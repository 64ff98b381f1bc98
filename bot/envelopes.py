"""Opening what was held: each envelope by the one who knows its kind, in its own savepoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.scheduler import Job, attempt
from bot.store import envelopes

AT_ONCE = 50  # envelopes in one transaction
LOOK = timedelta(seconds=15)  # between two looks at what is due
AGAIN = timedelta(minutes=5)  # one that could not be opened is tried again

# (connection, now, id of the envelope: a key for what is said once, content)
Open = Callable[[Connection, datetime, str, Mapping[str, Any]], None]


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
        return {"opened": sum(_try(db, now, by_kind, id_, content) for id_, _at, content in due)}

    return Job("envelopes.open", LOOK, work)


def _try(
    db: Connection, now: datetime, openers: Mapping[str, Open], id_: str, content: dict[str, Any]
) -> bool:
    opened = attempt(db, partial(_open, db, now, openers, id_, content))
    if opened is None:
        envelopes.postpone(db, id_, now + AGAIN)
    return bool(opened)


def _open(
    db: Connection, now: datetime, openers: Mapping[str, Open], id_: str, content: dict[str, Any]
) -> bool:
    openers[content["kind"]](db, now, id_, content)
    return envelopes.remove(db, id_)
