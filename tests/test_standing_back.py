"""What must not be said any more when its moment comes: not here, not to her, not once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from bot import clock, digests, models
from bot.store import backups
from bot.store.audiences import Audience
from tests.test_attention import it_is, mark, set_pace, somebody, tell
from tests.test_digests import asked, house  # noqa: F401
from tests.test_sender import House

DAY = timedelta(days=1)


def rows(house: House) -> list[Any]:  # noqa: F811
    table = models.deliveries.c
    columns = select(table.id, table.lane, table.state, table.reason, table.folded_id)
    return list(house.now(lambda db: db.execute(columns.order_by(table.id)).all()))


def test_a_digest_tells_nothing_from_before_her_app_was_linked(house: House) -> None:  # noqa: F811
    it_is("2027-01-04 10:00")
    noy, dara = somebody(house), somebody(house)
    place = house.community(noy, dara)
    set_pace(house, noy, place, "daily")
    asked(house, dara, place, "asked before")
    house.drain()
    clock.move(timedelta(hours=1))
    house.now(lambda db: _link(db, noy))
    clock.move(DAY)
    house.now(lambda db: digests.make_due(db, clock.now()))
    assert not [each for each in rows(house) if each.lane == "other/1"]


def _link(db: Any, who: tuple[int, int, str]) -> None:
    table, now = models.addresses, clock.now()
    used = update(table).where(table.c.id == who[0])
    db.execute(used.values(preferred=False, first_choice=False))
    row = {"member_id": who[1], "lane": "other/1", "sealed": "x", "preferred": True}
    row |= {"created_at": now, "linked_at": now, "last_inbound_at": now}
    db.execute(insert(table).values(row))


def test_what_is_put_off_while_a_digest_is_made_is_not_forgotten(
    house: House,  # noqa: F811
    database_url: str,
) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("one writer at a time: there is no meanwhile")
    noy, dara = somebody(house), somebody(house)
    place = house.community(noy, dara)
    it_is("2027-01-05 22:00")
    asked(house, dara, place, "one")
    house.drain()
    clock.stand()  # on a busy machine 0.1 s would be over before she has asked
    it_is("2027-01-06 06:59:59.900")
    asked(house, dara, place, "two")
    soon = clock.now() + timedelta(milliseconds=150)
    with house.database.engine.connect() as other, other.begin():
        other.execute(text("SELECT count(*) FROM members"))  # from here on it sees no more
        house.drain()
        with pytest.raises(Exception, match="serialize"):
            digests.make_due(other, soon)
    clock.move(timedelta(minutes=5))
    for _day in range(2):
        house.now(lambda db: digests.make_due(db, clock.now()))
        house.drain()
        clock.move(DAY)
    assert not [each for each in rows(house) if each.state == "held"]


def test_what_was_held_for_the_night_is_not_said_again_by_a_restore(
    house: House,  # noqa: F811
) -> None:
    it_is("2027-01-04 22:00")
    noy = somebody(house)
    id_ = tell(house, noy, "news")
    house.drain()
    assert house.fate(id_) == ("held", "quiet")
    clock.move(timedelta(hours=14))  # it was said in the morning, and then the backup was restored
    house.now(lambda db: backups.settle_waiting(db, (), clock.now()))
    house.drain()
    assert (house.fate(id_), house.provider.texts) == (("dropped", "restored"), [])


@pytest.mark.parametrize(("role", "said"), [("member", False), ("facilitator", True)])
def test_a_role_is_looked_at_again_when_it_is_said(
    house: House,  # noqa: F811
    role: str,
    said: bool,
) -> None:
    it_is("2027-01-04 10:00")
    noy = somebody(house)
    place = house.community(noy)
    facilitators = Audience("facilitators", place.id)
    table = models.memberships
    house.now(lambda db: db.execute(update(table).values(role="facilitator")))
    mark(house, noy, paused_until=clock.now() + DAY)
    id_ = house.tell(facilitators, "only for them", "thread", community_id=place.id,
                     for_role=facilitators.role)  # fmt: skip
    house.drain()
    house.now(lambda db: db.execute(update(table).values(role=role)))
    clock.move(DAY + timedelta(minutes=1))
    house.drain()
    fine = ("sent", ["only for them"])
    assert (house.fate(id_)[0], house.provider.texts) == (fine if said else ("dropped", []))
