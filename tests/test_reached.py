"""The truth about who was reached: counts that name nobody, and what facilitators look at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from bot import clock, models
from bot.db import Database
from bot.i18n import render
from bot.store import meeting, standing
from bot.store.secrets import open_store
from bot.store.standing import Standing
from bot.truth import stands
from handlers import unreached
from tests.stage import Stage
from tests.test_facilitators import staged
from tests.test_roles import set_membership

TELLS, SILENT = "whatsapp/a", "telegram/b"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    found.run_now(open_store)
    yield found
    found.close()


def count(database: Database, *fates: tuple[Any, ...]) -> Standing:
    """Of one message to so many: (state, reason, lane, due in hours, state of what says it)."""

    def message(db: Connection, name: str) -> int:
        row = {"key": name.encode(), "kind": "thread", "body": {}, "created_at": clock.now()}
        new = insert(models.messages).values(row).returning(models.messages.c.id)
        return int(db.execute(new).scalar_one())

    def work(db: Connection) -> Standing:
        now = clock.now()
        about, digest = message(db, "about"), message(db, "digest")
        asker, _address = meeting.add_ready(db, TELLS, "asker", now, language="lo")
        rows = [(about, asker, "read", None, TELLS, 0)]
        for number, fate in enumerate(fates):
            state, reason, lane, hours, instead = (*fate, *(None, TELLS, 0, None)[len(fate) - 1 :])
            member_id, _address = meeting.add_ready(db, lane, f"n{number}", now, language="lo")
            rows.append((about, member_id, state, reason, lane, hours))
            if instead:
                rows.append((digest, member_id, instead, None, lane, 0))
        for message_id, member_id, state, reason, lane, hours in rows:
            row = {"message_id": message_id, "member_id": member_id, "lane": lane, "priority": 1}
            row |= {"state": state, "reason": reason, "due_at": now + timedelta(hours=hours)}
            row |= {"folded_id": digest if state == "folded" else None}
            db.execute(insert(models.deliveries).values(row))
        return standing.count(db, about, asker, {TELLS}, now)

    return database.run_now(work)


def test_every_fate_is_counted_once_and_the_asker_not(database: Database) -> None:
    found = count(
        database,
        ("read",),
        ("delivered",),
        ("sent", None, SILENT),
        ("queued",),
        ("queued", "quiet", TELLS, 3),
        ("queued", "20429", TELLS, 1),
        ("unknown",),
        ("sending",),
        ("held", "window"),
        ("held", "discreet"),
        ("held", "doubt"),
        ("held", "quiet", TELLS, 3),
        ("folded", None, TELLS, 0, "sent"),
        ("folded", None, TELLS, 0, "held"),
        ("folded", None, TELLS, 0, "failed"),
        ("failed", "63024"),
        ("dropped", "pace"),
        ("dropped", "stopped"),
        ("dropped", "expired"),
        ("dropped", "left"),
        ("dropped", "erased"),
    )
    assert found == Standing(
        read=1, has=2, digest=1, way=4, noticed=1, later=1, waits=3, spared=2, late=1, never=3,
        telling=18, silent=1,
    )  # fmt: skip


@pytest.mark.parametrize(("readers", "told"), [(1, False), (2, False), (3, True)])
def test_of_so_few_nobody_learns_who_has_read(readers: int, told: bool, database: Database) -> None:
    """However many use Telegram: it is counted who can be seen reading at all."""
    fates = [("read",)] * readers + [("sent", None, SILENT)] * 5
    found = count(database, *fates)
    assert found.names_readers is not told
    words = [render(each, "en", lambda *_: "") for each in stands(found, readers=told)]
    assert (f"{readers} peers have read it." in words) is told
    assert (f"{readers + 5} peers have it." in words) is not told
    assert ("Telegram does not tell what was read." in words) is told


def test_who_did_not_ask_learns_nothing(database_url: str) -> None:
    """Not by the button's key, a facilitator neither."""

    async def play(stage: Stage) -> None:
        await stage.say("Noy", "Where do we get indigo this year?")
        await stage.listen("Noy")
        await stage.choose("Noy", "Send")
        await stage.later(timedelta(seconds=5))
        for name in ("Alex", "Mali"):
            await stage.say(name, "101")
            await stage.later(timedelta(seconds=5))
            assert "Who has it" not in str(stage.people[name].heard[-1])
            await stage.say(name, "who has it")
            await stage.later(timedelta(seconds=5))
            assert stage.people[name].heard[-1].text.startswith("You have no questions here yet.")

    staged(database_url, play)


def _block(stage: Stage, *names: str) -> None:
    rows = stage.app.database.run_now(
        lambda db: db.execute(select(models.members.c.id, models.members.c.name)).all()
    )
    hers = models.addresses.c.member_id.in_([row.id for row in rows if row.name in names])
    blocked = update(models.addresses).where(hers).values(unreachable_at=clock.now())
    stage.app.database.run_now(lambda db: db.execute(blocked))


def test_the_list_of_the_week_is_looked_at_and_noted(database_url: str) -> None:
    """Not at what is the matter now: at whom nothing came all week. It stands in the audit."""

    async def play(stage: Stage) -> None:
        alex = stage.people["Alex"]
        _block(stage, "Noy")
        await stage.later(timedelta(days=8))
        assert "did not reach 1 person" in alex.heard[-1].text
        assert _looks(stage) == 0
        await stage.choose("Alex", "Not reached")
        assert "Noy: blocked" in alex.heard[-1].text
        assert _looks(stage) == 1

    staged(database_url, play)


def _looks(stage: Stage) -> int:
    """How often somebody looked at a list, so far."""
    lines = select(models.audit.c.id).where(models.audit.c.action == "unreached")
    return len(stage.app.database.run_now(lambda db: db.execute(lines).all()))


def test_a_discreet_community_has_no_names_in_it(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        _block(stage, "Noy")
        await stage.later(timedelta(days=8))
        for act in ("open", "not reached"):
            await stage.say("Alex", act)
            await stage.later(timedelta(seconds=5))
        await stage.choose("Alex", "Not reached")
        words = "\n".join(each.text for each in stage.people["Alex"].heard)
        assert words.count("1: cannot be reached") == 2
        assert "Noy" not in words

    staged(database_url, play, discreet=True)


def test_at_most_ten_are_named(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        for number in range(12):
            who = stage.add(f"Extra{number}", "telegram", "en")
            stage.settle(who, "weavers", "member")
        _block(stage, *(f"Extra{number}" for number in range(12)))
        await stage.later(timedelta(days=8))
        await stage.choose("Alex", "Not reached")
        text = stage.people["Alex"].heard[-1].text
        assert text.count("blocked") == unreached.NAMED
        assert "and 2 more" in text
        set_membership(stage, "Alex", role="member")
        heard = len(stage.people["Alex"].heard)
        await stage.later(timedelta(days=8))
        assert len(stage.people["Alex"].heard) == heard  # a member is told of nobody
        await stage.choose("Alex", "Not reached")
        assert stage.people["Alex"].heard[-1].text.startswith("Only facilitators")

    staged(database_url, play)
