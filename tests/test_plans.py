"""Plans of sessions: what is known by the one before, and who has left since she was named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from bot import clock, models
from bot.db import Database
from bot.sessions import plans
from bot.store import communities, secrets, sessions
from tests.weeks import World

THURSDAY = datetime(2027, 1, 7, 7, 0, tzinfo=UTC)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    database = Database(database_url)
    database.run_now(secrets.open_store)
    found = World(database)
    found.at("2027-01-04 03:00")
    yield found
    clock.reset()
    database.close()


def _session(world: World, community_id: int, **more: Any) -> int:
    values = {"community_id": community_id, "title": "Stock", "timezone": "Asia/Vientiane"}
    wanted: dict[str, Any] = values | {"starts_at": THURSDAY} | more
    return int(world.run(lambda db: sessions.add(db, clock.now(), **wanted)))


def _after(world: World, given: dict[str, Any]) -> dict[str, Any]:
    world.run(lambda db: plans.after(db, given))
    return given


def test_the_next_one_lasts_as_long_as_the_one_before(world: World) -> None:
    place = world.community("weavers")
    first = _session(world, place, minutes=90, languages=("lo",))
    usual = {"community": place, "minutes": 90, "languages": ["lo"]}
    assert _after(world, {"follows": first}) == usual | {"follows_id": first}
    # What was said beside it counts more.
    assert _after(world, {"follows": first, "minutes": 30})["minutes"] == 30
    _session(world, place, follows_id=first)
    assert _after(world, {"follows": first}) == usual  # each is followed by one
    assert _after(world, {"follows": first + 100, "topic": 3, "host": 4}) == {
        "topic_id": 3,
        "host_id": 4,
    }


def test_who_has_left_the_group_is_not_asked(world: World) -> None:
    place = world.community("weavers")
    stays, leaves = world.member(place), world.member(place)
    here = world.run(lambda db: communities.get(db, place))
    named = {"invited": [stays, leaves], "note_taker_id": leaves, "host_id": stays}
    plan = plans.begin(here, named)
    mine = models.memberships.c.member_id == leaves
    world.run(lambda db: db.execute(update(models.memberships).where(mine).values(state="left")))
    world.run(lambda db: plans.without_strangers(db, plan))
    assert (plan["invited"], plan["note_taker_id"], plan["host_id"]) == ([stays], None, stays)


def test_only_what_is_another_is_changed(world: World) -> None:
    place = world.community("weavers")
    id_ = _session(world, place, seats=8, place="Library")
    session = world.run(lambda db: sessions.get(db, id_))
    plan = world.run(lambda db: plans.of(db, session))
    assert plans.different(plan, session) == {}
    plan |= {"seats": None, "at": "2027-01-08T07:00:00+00:00", "languages": ["km"]}
    assert plans.different(plan, session) == {
        "seats": None,
        "languages": ["km"],
        "starts_at": datetime(2027, 1, 8, 7, 0, tzinfo=UTC),
    }
