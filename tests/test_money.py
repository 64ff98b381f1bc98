"""Money: what is spent, what administrators hear on Mondays, when the budget is used up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Connection, func, insert, select, update

from bot import clock, programme
from bot.channels import Unknown
from bot.codec import message_from_json
from bot.db import Database
from bot.i18n import render
from bot.messages import Limits
from bot.models import deliveries, dispatches, members, memberships, messages, programmes, spendings
from bot.programme import ProgrammeError
from bot.store import backups, communities, meeting, spending
from bot.store.references import References
from bot.store.secrets import open_store
from bot.treasurer import Treasurer
from tests.processes import PROGRAMME

LANE = "whatsapp/1"
MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # eight in the morning in Vientiane


class Paid:
    """A channel whose provider is paid in advance."""

    name, lane = "whatsapp", LANE
    limits = Limits(text=1600, buttons=0, price=0.5)
    asked = 0
    left: tuple[float, str] | None = (12.345, "USD")

    async def balance(self) -> tuple[float, str] | None:
        self.asked += 1
        if self.left is None:
            raise Unknown("away")
        return self.left


def at(moment: datetime) -> None:
    clock.reset(moment - datetime.now(UTC))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    at(MONDAY - timedelta(days=1))
    found = Database(database_url)
    found.run_now(open_store)
    source = PROGRAMME | {"programme": PROGRAMME["programme"] | {"budget": 50}}  # type: ignore[operator]
    loaded = programme.Programme.model_validate(source)
    found.run_now(lambda db: programme.load(db, loaded, {}, clock.now()))
    found.run_now(lambda db: join(db, "Alex", "administrator"))
    found.run_now(lambda db: join(db, "Noy", "member"))
    yield found
    found.close()


def join(db: Connection, name: str, role: str) -> None:
    member_id, _address = meeting.add_ready(
        db, LANE, name, clock.now(), language="en", timezone="Asia/Vientiane",
        consent_at=clock.now(),
    )  # fmt: skip
    found = communities.find(db, "crafts")
    assert found is not None
    communities.join(db, member_id, found.id, role, "active", clock.now())


def spend(database: Database, bubbles: int, when: datetime, state: str = "sent") -> None:
    def work(db: Connection) -> None:
        row = {
            "key": f"{when}{bubbles}{state}".encode()[-16:].rjust(16), "kind": "direct",
            "body": {}, "created_at": when,
        }  # fmt: skip
        id_ = db.execute(insert(messages).values(row).returning(messages.c.id)).scalar_one()
        first = db.execute(select(func.min(members.c.id))).scalar_one()
        row = {
            "message_id": id_, "member_id": first, "lane": LANE, "priority": 0, "state": state,
            "due_at": when,
        }  # fmt: skip
        id_ = db.execute(insert(deliveries).values(row).returning(deliveries.c.id)).scalar_one()
        rows = [
            {
                "delivery_id": id_, "part": n, "token": f"{id_}/{n}", "state": state,
                "created_at": when, "handed_at": when,
            }
            for n in range(bubbles)
        ]  # fmt: skip
        db.execute(insert(dispatches), rows)

    database.run_now(work)


def look(database: Database, channel: Any, store: Path | None = None, times: int = 1) -> None:
    treasurer = Treasurer(database, [channel], store)
    for _ in range(times):
        asyncio.run(treasurer.look())


def told(database: Database) -> list[str]:
    """What was told to somebody, in English, oldest first."""

    def work(db: Connection) -> list[str]:
        rows = db.execute(
            select(messages.c.body)
            .join(deliveries, deliveries.c.message_id == messages.c.id)
            .where(messages.c.kind == "session")
            .order_by(messages.c.id)
        ).scalars()
        return [
            "\n".join(render(each, "en", References(db, [])) for each in found.paragraphs)
            for found in map(message_from_json, rows)
        ]

    return database.run_now(work)


# Mondays -----------------------------------------------------------------------------------------


def test_administrators_hear_it_once_on_monday_morning(database: Database, tmp_path: Path) -> None:
    paid = Paid()
    spend(database, 7, MONDAY - timedelta(days=3))
    look(database, paid, tmp_path / "a.db", 2)
    assert told(database) == [] and paid.asked == 0
    database.run_now(lambda db: backups.add(db, MONDAY - timedelta(days=2), 1000))
    at(MONDAY + timedelta(minutes=1))
    look(database, paid, tmp_path / "a.db", 3)
    look(database, paid, tmp_path / "a.db")  # another worker
    [said] = told(database)
    lines = said.splitlines()
    assert lines[0] == "How this service is doing:"
    assert lines[1] == "The last backup is 2 days old."
    assert lines[2].startswith("Free on the disk: ") and lines[2].endswith(" %.")
    assert lines[3] == "Left on the WhatsApp account: 12.35 USD."
    assert lines[4] == "Spent this month: about 3.50 of 50 US dollars."
    at(MONDAY + timedelta(days=7, hours=5))
    look(database, paid)
    assert len(told(database)) == 2


def test_a_worker_that_was_away_tells_it_on_wednesday_and_not_on_friday(
    database: Database,
) -> None:
    at(MONDAY + timedelta(days=4))
    look(database, Paid())
    assert told(database) == []
    at(MONDAY + timedelta(days=2))
    look(database, Paid())
    assert len(told(database)) == 1


def test_no_backup_and_an_old_one_are_said_plainly(database: Database) -> None:
    at(MONDAY + timedelta(minutes=1))
    look(database, Paid())
    assert "There is no backup yet. Please ask" in told(database)[0]
    database.run_now(lambda db: backups.add(db, MONDAY - timedelta(days=2), 1000))
    at(MONDAY + timedelta(days=7))
    look(database, Paid())
    assert "The last backup is 9 days old. Please ask" in told(database)[1]


def test_a_provider_that_does_not_answer_is_left_out(database: Database) -> None:
    paid = Paid()
    paid.left = None
    at(MONDAY + timedelta(minutes=1))
    look(database, paid)
    [said] = told(database)
    assert "account" not in said and "Spent this month" in said


def test_who_is_no_administrator_any_more_hears_nothing(database: Database) -> None:
    database.run_now(lambda db: db.execute(update(memberships).values(role="member")))
    at(MONDAY + timedelta(minutes=1))
    look(database, Paid())
    assert told(database) == []


# The budget --------------------------------------------------------------------------------------


def test_the_budget_warns_at_each_step_once_a_month(database: Database) -> None:
    now = MONDAY - timedelta(days=1)
    spend(database, 79, now - timedelta(hours=1))
    look(database, Paid(), times=2)
    assert told(database) == []
    spend(database, 1, now - timedelta(minutes=30))  # counted already until two minutes ago
    clock.move(timedelta(minutes=5))
    spend(database, 2, now + timedelta(minutes=1))
    look(database, Paid(), times=2)
    assert [each.splitlines()[0] for each in told(database)] == [
        "About 81 % of this month's budget of 50 US dollars is used."
    ]
    spend(database, 30, now + timedelta(minutes=4))
    clock.move(timedelta(minutes=5))
    look(database, Paid(), times=3)
    assert "About 111 % of this" in told(database)[1]
    at(datetime(2026, 12, 3, tzinfo=UTC))
    spend(database, 81, datetime(2026, 12, 2, tzinfo=UTC))
    look(database, Paid(), times=2)
    warned = [each for each in told(database) if "% of this month" in each]
    assert len(warned) == 3 and "About 81 %" in warned[2]


def test_what_is_counted(database: Database) -> None:
    """Neither what failed nor what belongs to another month, and what is erased stays counted."""
    first = datetime(2026, 11, 1, tzinfo=UTC)
    spend(database, 3, first)
    spend(database, 5, first - timedelta(microseconds=1))
    spend(database, 7, first + timedelta(days=3), "failed")
    spend(database, 11, first + timedelta(days=20), "read")
    look(database, Paid())
    database.run_now(lambda db: db.execute(deliveries.delete()))
    look(database, Paid())
    found = database.run_now(lambda db: spending.count_spent(db, {LANE: 1.0}, clock.now()))
    assert found == 14


def test_the_end_of_a_month_is_counted_in_the_next_one(database: Database) -> None:
    look(database, Paid())
    spend(database, 3, datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC))
    at(datetime(2026, 12, 1, 0, 0, 30, tzinfo=UTC))
    look(database, Paid())
    rows = database.run_now(
        lambda db: db.execute(select(spendings.c.month, spendings.c.bubbles)).all()
    )
    assert sorted(map(tuple, rows)) == [(202611, 3), (202612, 0)]


def test_two_workers_count_once(database: Database) -> None:
    spend(database, 9, MONDAY - timedelta(days=2))

    async def both() -> None:
        crowd = [Treasurer(database, [Paid()], None) for _ in range(3)]
        await asyncio.gather(*(each.look() for each in crowd))

    asyncio.run(both())
    found = database.run_now(lambda db: spending.count_spent(db, {LANE: 1.0}, clock.now()))
    assert found == 9


@pytest.mark.parametrize("budget", ["50", 0, -1, 1.5, True, "$50", 10**9])
def test_a_budget_that_is_none(budget: object, tmp_path: Path) -> None:
    source = PROGRAMME | {"programme": PROGRAMME["programme"] | {"budget": budget}}  # type: ignore[operator]
    path = tmp_path / "a.yaml"
    path.write_text(yaml.safe_dump(source), encoding="utf-8")
    with pytest.raises(ProgrammeError, match=r"programme\.budget: use a whole number of US"):
        programme.read(path)


def test_no_budget(database: Database) -> None:
    database.run_now(lambda db: db.execute(update(programmes).values(budget=None)))
    spend(database, 500, MONDAY - timedelta(days=2))
    at(MONDAY + timedelta(minutes=1))
    look(database, Paid())
    [said] = told(database)
    assert "Spent this month: about 250.00 US dollars." in said
