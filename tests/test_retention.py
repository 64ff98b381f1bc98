"""Retention: what the programmes want kept so long, and no longer; counted."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import func, insert, select

from bot import clock, logs, models, programme, upkeep
from bot.db import Database
from bot.scheduler import Scheduler
from bot.store import forgetting, inbox, meeting, programmes
from bot.store.programmes import Retention
from bot.store.secrets import open_store
from tests.processes import PROGRAMME

DAY = timedelta(days=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    found.run_now(open_store)
    yield found
    found.close()


def sweep(database: Database) -> Counter[str]:
    return asyncio.run(Scheduler(database, [])._go_on(upkeep.forget.work))


def load(database: Database, **retention: int) -> None:
    slug = f"p{len(retention)}{sum(retention.values())}"
    about = PROGRAMME["programme"] | {"slug": slug}  # type: ignore[operator]
    community = PROGRAMME["communities"][0] | {"slug": slug}  # type: ignore[index]
    source = {"programme": about, "communities": [community], "retention": retention}
    found = programme.Programme.model_validate(source)
    database.run_now(lambda db: programme.load(db, found, {}, clock.now()))


def count(database: Database, *wanted: Any) -> int:
    return database.run_now(lambda db: db.execute(select(func.count()).where(*wanted)).scalar_one())  # type: ignore[no-any-return]


def hear(db: Any, key: str, at: datetime) -> int:
    _member, address_id = meeting.add_ready(db, "lane", key, at, language="en", consent_at=at)
    assert address_id is not None
    found = inbox.add(db, "lane", key, f'{{"text": "{key}"}}', at, address_id)
    assert found is not None
    return found


# What the file says


def test_of_several_programmes_the_strictest_counts(database: Database) -> None:
    assert database.run_now(programmes.get_retention) == Retention(30, 7, 30, 365)
    load(database)
    load(database, raw_inbound=60, audit=90)
    load(database, sealed_links=5, unfinished_conversations=2, audit=400)
    assert database.run_now(programmes.get_retention) == Retention(30, 2, 5, 90)


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("raw_inbound", 0),
        ("raw_inbound", 91),
        ("raw_inbound", "30"),
        ("raw_inbound", 2.5),
        ("raw_inbound", True),
        ("audit", 29),
        ("audit", 2000),
        ("unfinished_conversations", 8),
        ("sealed_links", -1),
        ("posts", 3),
    ],
)
def test_wrong_days_are_one_line(what: str, wrong: Any, tmp_path: Path) -> None:
    path = tmp_path / "programme.yaml"
    path.write_text(yaml.safe_dump(PROGRAMME | {"retention": {what: wrong}}, allow_unicode=True))
    with pytest.raises(programme.ProgrammeError) as error:
        programme.read(path)
    assert re.match(rf"programme\.yaml, line \d+, retention\.{what}: .+$", str(error.value))
    assert "\n" not in str(error.value)


# What the job does


def test_what_came_is_forgotten_and_is_still_taken_once(database: Database) -> None:
    now = clock.now()
    load(database, raw_inbound=10)
    database.run_now(lambda db: [hear(db, f"old{n}", now - 11 * DAY) for n in range(450)])
    database.run_now(lambda db: hear(db, "young", now - 9 * DAY))
    assert sweep(database) == {"raw_inbound": 450}
    kept = models.inbox.c.payload.is_not(None)
    assert count(database, kept) == count(database, models.inbox.c.address_id.is_not(None)) == 1
    again = database.run_now(lambda db: inbox.add(db, "lane", "old7", "{}", now, 1))
    assert again is None, "signatures never expire"
    assert sweep(database) == {}


def test_sealed_links(database: Database) -> None:
    now = clock.now()
    load(database)

    def ask(db: Any, number: int, closed: timedelta | None, asked: timedelta) -> None:
        community_id = db.execute(select(models.communities.c.id).limit(1)).scalar_one()
        row = {"number": number, "community_id": community_id, "state": "closed", "anonymous": True}
        row |= {"asker": {"member": 7}, "created_at": now - asked}
        row |= {"closed_at": None if closed is None else now - closed}
        db.execute(insert(models.threads).values(row))

    for number, closed, asked in (
        (101, 31 * DAY, 40 * DAY),
        (102, 29 * DAY, 400 * DAY),
        (103, None, 366 * DAY),
        (104, None, 364 * DAY),
    ):
        database.run_now(lambda db: ask(db, number, closed, asked))  # noqa: B023
    assert sweep(database) == {"sealed_links": 2}
    linked = select(models.threads.c.number).where(models.threads.c.asker.is_not(None))
    left = database.run_now(lambda db: sorted(db.execute(linked).scalars()))
    assert left == [102, 104]


def test_codes_tallies_audit_and_old_erasures(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    now = clock.now()
    load(database, audit=30)
    member_id = database.run_now(lambda db: meeting.add(db, "lane", ["x"], now, state="active"))
    rows: list[tuple[Any, Callable[[timedelta], dict[str, Any]]]] = [
        (models.codes, lambda age: {"key": bytes(16) + bytes([age.days % 9]), "purpose": "link",
                                    "member_id": member_id, "expires_at": now - age}),
        (models.tallies, lambda age: {"key": bytes([age.days % 99]) * 16, "count": 1,
                                      "expires_at": now - age}),
        (models.audit, lambda age: {"at": now - age, "action": "x"}),
        (models.erasures, lambda age: {"id": f"e{age.days}", "lane": "gone", "work": {},
                                       "due_at": now - age}),
    ]  # fmt: skip
    for table, row in rows:
        for age in (40 * DAY, -DAY):
            values = row(age)
            database.run_now(lambda db: db.execute(insert(table).values(values)))  # noqa: B023
    logs.configure("DEBUG")
    asyncio.run(Scheduler(database, [upkeep.forget]).tick())
    printed = capsys.readouterr().err
    for kind in ("codes", "tallies", "audit", "erasures"):
        assert f"job=upkeep.forget kind={kind} count=1" in printed.replace("  ", " "), printed
    for table, _row in rows:
        assert (
            database.run_now(
                lambda db: db.execute(select(func.count()).select_from(table)).scalar_one()  # noqa: B023
            )
            == 1
        )


def test_strangers_who_stay_away_are_forgotten(database: Database) -> None:
    now = clock.now()
    load(database)

    def come(db: Any, name: str, age: timedelta) -> int:
        return meeting.add(db, "lane", [name], now - age, state="new")

    old = database.run_now(lambda db: come(db, "old", 31 * DAY))
    young = database.run_now(lambda db: come(db, "young", 29 * DAY))
    database.run_now(lambda db: hear(db, "member", now - 300 * DAY))
    assert sweep(database)["strangers"] == 1
    going = database.run_now(lambda db: forgetting.find_next(db, 0))
    assert going is not None
    assert (going.member_id, old < young) == (old, True)
