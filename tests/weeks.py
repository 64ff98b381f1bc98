"""Communities, their members and a clock that is moved: the weekly rhythm without any phones.

`live` moves the clock through months or years, ticks in several processes at once, kills some of
them, edits schedules meanwhile, and tells everything that is not as it should be.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from bot import ahead, clock, models, rhythm
from bot.db import Database
from bot.store import audiences, contents, editions
from bot.store.schedules import Schedule
from bot.timing import day_of, moment_of, zone

MONDAY = day_of(date(2027, 1, 4))
NINE = 9 * 60
ZONES = (
    "Asia/Vientiane",
    "Asia/Phnom_Penh",
    "Europe/Amsterdam",
    "America/New_York",
    "Pacific/Apia",
)


class World:
    """Communities and their members, as rows; and a clock that is moved."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.at("2027-01-01 00:00")
        row = {"slug": "p", "names": {"en": "P"}, "contact": "x"}
        self.programme = self.add(models.programmes, row)
        self._members = 0
        self._places: dict[int, str] = {}
        self.zones: dict[int, str] = {}  # of members
        self.hours: dict[int, tuple[int, str | None]] = {}  # of schedules: minutes, fixed zone

    def run(self, work: Callable[[Connection], Any]) -> Any:
        return self.database.run_now(work)

    def add(self, table: Any, row: dict[str, Any]) -> int:
        return int(
            self.run(lambda db: db.execute(insert(table).values(row)).inserted_primary_key[0])
        )

    def at(self, when: str) -> None:
        """UTC."""
        wanted = datetime.fromisoformat(when).replace(tzinfo=UTC)
        clock.stand()
        clock.move(wanted - clock.now())

    def community(self, slug: str, timezone: str = "Asia/Vientiane") -> int:
        row = {
            "programme_id": self.programme,
            "slug": slug,
            "language": "en",
            "timezone": timezone,
            "approval": False,
            "discreet": False,
        }
        id_ = self.add(models.communities, row)
        self._places[id_] = timezone
        key = f"community/{id_}/name"
        self.run(
            lambda db: contents.save(db, key, "name", "en", slug, clock.now(), community_id=id_)
        )
        return id_

    def member(self, *communities: int, timezone: str | None = None, **more: Any) -> int:
        self._members += 1
        now = clock.now()
        row = {"state": "active", "language": "en", "timezone": timezone, "created_at": now}
        id_ = self.add(models.members, row | more)
        address = {"member_id": id_, "lane": "x", "sealed": f"a{id_}", "preferred": True}
        self.add(models.addresses, address | {"created_at": now})
        for each in communities:
            self.join(id_, each)
        self.zones[id_] = timezone or self._places[communities[0]]
        return id_

    def join(self, member_id: int, community_id: int, pace: str = "at_once") -> None:
        row = {"member_id": member_id, "community_id": community_id, "role": "member"}
        more = {"state": "active", "pace": pace, "created_at": clock.now()}
        self.add(models.memberships, row | more)

    def contents(self, kind: str, number: int, **more: Any) -> list[int]:
        def work(db: Connection) -> list[int]:
            return [
                contents.save(
                    db, f"library/{kind}/{each}", kind, "en", f"{kind} {each}", clock.now(),
                    position=each, **more,
                )
                for each in range(number)
            ]  # fmt: skip

        return list(self.run(work))

    def schedule(self, community: int, kind: str = "prompt", **more: Any) -> Schedule:
        values = {"weekday": 0, "minutes": NINE, "first_on": MONDAY} | more
        wanted = Schedule(community, kind, **values)
        kept: Schedule = self.run(lambda db: ahead.save(db, wanted, clock.now()))
        self.hours[kept.id] = kept.minutes, kept.timezone
        return kept

    def tick(self) -> None:
        """What the job does each minute, step by step."""
        then: Any = rhythm.go_on
        for _number in range(10_000):
            done = self.run(lambda db, work=then: work(db, clock.now()))
            then = done.then
            if then is None:
                return self.deliver()
        raise AssertionError("a tick does not end")

    def deliver(self) -> None:
        """What senders do in each round."""
        while self.run(audiences.go_on):
            pass

    def said(self) -> list[tuple[int, tuple[int, ...]]]:
        """(member, editions in the message) of each delivery, in order."""

        def work(db: Connection) -> list[tuple[int, tuple[int, ...]]]:
            rows = db.execute(
                select(models.deliveries.c.member_id, models.deliveries.c.message_id).order_by(
                    models.deliveries.c.id
                )
            ).all()
            return [
                (member, tuple(each.id for each in editions.list_of_message(db, message)))
                for member, message in rows
            ]

        return list(self.run(work))

    def editions(self) -> list[Any]:
        table = models.editions
        return list(self.run(lambda db: db.execute(select(table).order_by(table.c.day)).all()))

    def heard(self) -> list[tuple[int, datetime, list[int]]]:
        """(member, when it was told, editions) of each delivery of the rhythm."""
        found, parts = models.deliveries, models.edition_messages

        def work(db: Connection) -> list[tuple[int, datetime, list[int]]]:
            said: dict[int, list[int]] = defaultdict(list)
            for row in db.execute(select(parts)):
                said[row.message_id].append(row.edition_id)
            rows = db.execute(select(found.c.member_id, found.c.due_at, found.c.message_id))
            return [(member, at, said[message]) for member, at, message in rows if message in said]

        return list(self.run(work))

    def readers(self) -> dict[int, list[tuple[int, str]]]:
        """(member, zone) of each community."""
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        rows = self.run(lambda db: db.execute(select(models.memberships)).all())
        for row in rows:
            found[row.community_id].append((row.member_id, self.zones[row.member_id]))
        return found

    def left_out(self) -> dict[int, set[str]]:
        """The zones of an edition that were recorded as too late; "*" if any was.

        Who is in two communities gets both in one message, by the hour of the first.
        """
        found: dict[int, set[str]] = defaultdict(set)
        table = models.occurrences
        rows = self.run(
            lambda db: db.execute(select(table).where(table.c.skipped.is_not(None))).all()
        )
        for row in rows:
            _edition, id_, place = row.key.split("/", 2)
            found[int(id_)] |= {place, "*"}
        return found


# Through the years -------------------------------------------------------------------------------


@dataclass
class Life:
    """What was lived through, and what was wrong."""

    ticks: int = 0
    kills: int = 0
    edits: int = 0
    back: int = 0  # times the clock was put back
    down: int = 0  # times everything stood still for hours
    said: int = 0  # deliveries
    out: int = 0  # editions
    skipped: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


Ticks = Callable[[datetime, random.Random], int]  # all processes tick; how many were killed


def settle(world: World) -> list[Schedule]:
    """A community in each zone, with people from everywhere and some who are in two of them."""
    places = [world.community(f"c{number}", each) for number, each in enumerate(ZONES)]
    for number, place in enumerate(places):
        for each in ZONES:
            world.member(place, timezone=each)
        world.member(place, places[number - 1], timezone=ZONES[number])
        world.member(place)
    world.contents("prompt", 9)
    world.contents("tip", 7)
    found = []
    for number, place in enumerate(places):
        fixed = ZONES[number] if number % 2 else None
        # The third is at an hour that some clocks leave out, and show twice half a year later.
        minutes = 150 if number == 2 else NINE + 30 * number
        weekday = 6 if number == 2 else number % 2
        more = {"minutes": minutes, "weekday": weekday, "timezone": fixed}
        found.append(world.schedule(place, "prompt", **more))
        found.append(world.schedule(place, "tip", **more, every=1 + number % 2))
    return found


def live(world: World, until: datetime, ticks: Ticks, seed: int) -> Life:
    """From the first day on; the last schedule is edited meanwhile, the others never are."""
    chance, life = random.Random(seed), Life()
    now = clock.now()
    first = day_of(now.date()) + 2
    kept = settle(world)
    while now < until:
        now = _move(world, now, chance, life)
        world.at(now.strftime("%Y-%m-%d %H:%M:%S"))
        life.kills += ticks(now, chance)
        life.ticks += 1
        if chance.random() < 0.01:
            _edit(world, kept[-1], chance)
            life.edits += 1
    for _number in range(20):  # what a kill left is found at the next ticks
        ticks(now, random.Random(1))
    _look(world, kept[:-1], (first, now), life)
    return life


def _move(world: World, now: datetime, chance: random.Random, life: Life) -> datetime:
    """Mostly to the next moment; sometimes past it, or back a little."""
    dice = chance.random()
    if dice < 0.05:
        life.back += 1
        return now - timedelta(seconds=chance.randint(1, 300))
    if dice < 0.08:
        life.down += 1
        return now + timedelta(hours=6)
    if dice < 0.12:
        return now + chance.choice([timedelta(hours=1), timedelta(days=1)])
    if dice < 0.13:
        return now + timedelta(days=5)
    soon = world.run(
        lambda db: db.execute(select(models.editions.c.next_at).order_by("next_at")).scalars().all()
    )
    at = min((each for each in soon if each is not None), default=now)
    return max(at, now) + timedelta(seconds=chance.choice([0, 1, 59, 61]))


def _edit(world: World, schedule: Schedule, chance: random.Random) -> None:
    wanted = replace(schedule, weekday=chance.randrange(7), minutes=chance.randrange(24 * 60), id=0)
    world.run(lambda db: ahead.save(db, wanted, clock.now()))
    world.hours.pop(schedule.id, None)


def _look(world: World, kept: Sequence[Schedule], lived: tuple[int, datetime], life: Life) -> None:
    """Each day of each schedule is there once; who should have it has it once, in time."""
    rows = world.editions()
    life.out = sum(each.state == "out" for each in rows)
    life.skipped = Counter(each.reason for each in rows if each.state == "skipped")
    life.wrong += [f"edition {each.id} has no reason" for each in rows
                   if each.state == "skipped" and not each.reason]  # fmt: skip
    first, now = lived
    over = day_of(now.date()) - 2
    for schedule in kept:
        mine = [each for each in rows if each.schedule_id == schedule.id]
        wanted = [day for day in schedule.next_days(first, 400) if day < over]
        found = {each.day: each.state for each in mine}
        life.wrong += [
            f"{schedule.kind} of {schedule.community_id} on {day}: {found.get(day)}"
            for day in wanted
            if found.get(day) not in ("out", "skipped")
        ]
    _look_at_readers(world, [each.id for each in kept], rows, over, life)


def _look_at_readers(
    world: World, kept: Sequence[int], rows: Sequence[Any], over: int, life: Life
) -> None:
    said = world.heard()
    life.said = len(said)
    got: dict[tuple[int, int], int] = Counter()
    for member, at, ids in said:
        for each in ids:
            got[member, each] += 1
        _look_at_hour(world, member, at, [row for row in rows if row.id in ids], life)
    late = world.left_out()
    readers = world.readers()
    for row in rows:
        if row.schedule_id not in kept or row.day >= over:
            continue
        for member, timezone in readers[row.community_id]:
            times = got[member, row.id]
            if times > 1 or (row.state != "out" and times):
                life.wrong.append(f"member {member} got edition {row.id} {times} times")
            if row.state == "out" and not times and not late[row.id] & {timezone, "*"}:
                life.wrong.append(f"member {member} of {timezone} did not get edition {row.id}")


def _look_at_hour(
    world: World, member: int, at: datetime, together: Sequence[Any], life: Life
) -> None:
    """Not before the hour of the one that leads, and not when it is of no use any more."""
    moments = []
    for row in together:
        minutes, fixed = world.hours.get(row.schedule_id, (0, None))
        moments.append(moment_of(row.day, minutes, zone(fixed or world.zones[member])))
    if any(row.schedule_id not in world.hours for row in together):
        return  # one that was edited meanwhile
    if moments and not min(moments) <= at <= max(moments) + rhythm.LATE["tip"] + timedelta(days=1):
        life.wrong.append(f"member {member} got {[row.id for row in together]} at {at}")


def in_turns(databases: Sequence[Database], dying: float = 0.03) -> Ticks:
    """Processes whose steps come in any order; some die between two of them."""

    def tick(_now: datetime, chance: random.Random) -> int:
        running: dict[int, Any] = dict.fromkeys(range(len(databases)), rhythm.go_on)
        killed = 0
        while running:
            number = chance.choice(list(running))
            work = running[number]
            done = databases[number].run_now(lambda db, work=work: work(db, clock.now()))
            databases[number].run_now(audiences.go_on)
            if done.then is None:
                del running[number]
            elif chance.random() < dying:
                del running[number]
                killed += 1
            else:
                running[number] = done.then
        while databases[0].run_now(audiences.go_on):
            pass
        return killed

    return tick
