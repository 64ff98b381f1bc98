"""`linkline why`: one screen, true, and nothing on it of who somebody is or what was said."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import click
import pytest
from prometheus_client import generate_latest
from sqlalchemy import insert, select, update

from bot import clock, models
from bot.cli.why import MENDS, REASONS, WIDTH, _explain, why
from bot.db import Database
from bot.settings import Settings
from bot.store.secrets import open_store
from bot.web.measures import Measures
from tests.canaries import canaries
from tests.stage import Stage
from tests.test_backlog import LANE, Outbox
from tests.test_facilitators import staged

SETTINGS = Settings(_env_file=None)  # type: ignore[call-arg]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    found.run_now(open_store)
    yield found
    found.close()


def explained(database: Database, whom: str) -> list[str]:
    return database.run_now(lambda db: _explain(db, SETTINGS, whom, clock.now()))


def add(database: Database, state: str, reason: str | None = None, **values: Any) -> int:
    return database.run_now(lambda db: Outbox(db).add(state, reason, **values)[1])


CASES = [
    ("held", "window", {}, "next: It leaves when she writes one word there"),
    ("held", "quiet", {"due_at": clock.now() + timedelta(hours=3)}, "next: looked at again at"),
    ("queued", None, {}, f"next: no worker owns lane {LANE}: start one"),
    ("failed", "unreachable", {}, "next: She must write to the bot once"),
    ("failed", "63024", {}, "state: failed (the provider's code is 63024)"),
    ("dropped", "expired", {}, "state: dropped (it came too late to be of use)"),
    ("sent", None, {}, "state: sent (the provider took it)"),
    ("sending", None, {}, "next: it is on its way"),
]


@pytest.mark.parametrize(("state", "reason", "values", "line"), CASES)
def test_what_became_of_it(
    state: str, reason: str | None, values: dict[str, Any], line: str, database: Database
) -> None:
    delivery_id = add(database, state, reason, **values)
    for whom in (f"d{delivery_id}", str(delivery_id)):
        lines = explained(database, whom)
        assert [each for each in lines if each.startswith(line)], lines
    assert [each for each in explained(database, "m1") if each.startswith(f"d{delivery_id} ")]


def test_a_lane_that_rests_and_one_that_works(database: Database) -> None:
    delivery_id = add(database, "queued")
    now = clock.now()
    row = {"name": LANE, "fence": 1, "owner": "w", "leased_until": now + timedelta(days=1)}
    row |= {"paused_until": now + timedelta(minutes=5), "paused_why": "429"}
    database.run_now(lambda db: db.execute(insert(models.lanes).values(row)))
    assert explained(database, f"d{delivery_id}")[-1].startswith(f"next: lane {LANE} rests until")
    assert explained(database, f"d{delivery_id}")[-1].endswith("because of 429")
    goes_on = update(models.lanes).values(paused_until=None)
    database.run_now(lambda db: db.execute(goes_on))
    assert "its turn in line" in explained(database, f"d{delivery_id}")[-1]


def test_what_stands_in_a_digest(database: Database) -> None:
    def work(db: Any) -> tuple[int, int]:
        outbox = Outbox(db)
        digest_message, digest = outbox.add("delivered")
        return outbox.add("folded", folded_id=digest_message)[1], digest

    folded, digest = database.run_now(work)
    lines = explained(database, f"d{folded}")
    assert f"said in d{digest} instead, which is delivered (it is on the phone)" in lines


def test_one_screen_whatever_happened(database: Database) -> None:
    """Twenty parts, each refused and repeated, and a member with all there can be wrong."""

    def work(db: Any) -> int:
        outbox = Outbox(db)
        for _number in range(30):
            outbox.add("held", "doubt")
        _message, delivery_id = outbox.add("failed", "unreachable", attempts=5)
        for part in range(20):
            row = {"delivery_id": delivery_id, "part": part, "token": f"t{part}", "repeats": 3}
            row |= {"state": "failed", "error": "63024", "created_at": outbox.now}
            row |= {"handed_at": outbox.now, "told_at": outbox.now}
            db.execute(insert(models.dispatches).values(row))
        trouble = {"unreachable_at": outbox.now, "doubted_at": outbox.now, "nudges": 4}
        db.execute(update(models.addresses).values(trouble | {"nudged_at": outbox.now}))
        db.execute(update(models.members).values(paused_until=outbox.now + timedelta(days=9)))
        return delivery_id

    delivery_id = database.run_now(work)
    for whom in (f"d{delivery_id}", "m1"):
        printed = wrapped(explained(database, whom))
        assert len(printed) <= 23, printed
        assert max(map(len, printed)) <= WIDTH


def wrapped(lines: list[str]) -> list[str]:
    return [each for line in lines for each in textwrap.wrap(line, WIDTH, subsequent_indent="  ")]


@pytest.mark.parametrize(
    "whom", ["d99999", "99999", "m99999", "telegram:123", "whatsapp:+8562055501234", "Noy", "", "'"]
)
def test_unknown_is_one_line_that_repeats_nothing(whom: str, database: Database) -> None:
    with pytest.raises(click.ClickException) as told:
        explained(database, whom)
    assert "\n" not in told.value.message
    for part in ("99999", "+856", "Noy"):
        assert part not in told.value.message


def test_every_reason_has_words_and_every_mend_is_of_one() -> None:
    assert set(MENDS) <= set(REASONS)
    assert why.name == "why"


def test_nothing_of_anybody(database_url: str) -> None:
    """After real talks: all members, all deliveries, addresses, and all figures."""

    async def play(stage: Stage) -> None:
        await stage.say("Noy", "Where can we sell our baskets, near Paksan?")
        await stage.listen("Noy")
        await stage.choose("Noy", "Send")
        await stage.later(timedelta(seconds=5))
        await stage.say("Mali", "101 At the market, on Fridays, ask for Bounmy.")
        await stage.later(timedelta(hours=1))
        canaries.words("Where can we sell our baskets, near Paksan?")
        canaries.words("At the market, on Fridays, ask for Bounmy.")
        database = stage.app.database
        settings = stage.settings.model_copy(update={"telegram_bot_token": "123456:AAtest-token"})
        printed: list[str] = []
        for table, sign in ((models.members, "m"), (models.deliveries, "d")):
            ids = database.run_now(lambda db, t=table: list(db.execute(select(t.c.id)).scalars()))
            assert ids
            for id_ in ids:
                printed += database.run_now(
                    lambda db, whom=f"{sign}{id_}": _explain(db, settings, whom, clock.now())
                )
        await Measures(stage.app).bring()
        printed.append(generate_latest().decode())
        everything = "\n".join(printed)
        assert len(printed) > 50
        assert "sent" in everything
        assert not canaries.found_in(everything)

    staged(database_url, play)
