"""(e) The disk is full at the N-th write, for many N: what was answered with 2xx is there."""

from __future__ import annotations

import os
import pwd
import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine, make_url, select, text

from bot.models import inbox
from tests.processes import Linkline, Nursery, Packet, Person, Town, deliver, town, until
from tests.soak import ground, outage
from tests.soak.figures import Figures
from tests.soak.small_disk import Disk, Limited, Mounted, small_disk

PEOPLE = 40
MOST = 40  # words until one is refused
PATIENCE = 90.0


@dataclass
class FullDisk:
    """One run."""

    place: Town
    disk: Disk
    server: Linkline
    figures: Figures
    people: list[Person]
    said: list[tuple[Person, Packet, list[int]]] = field(default_factory=list)
    refused: int = 0
    reached: int = 0  # how often the disk was really full

    def at(self, pages: int) -> None:
        """Full at this write; people write until one is refused, and once more when it is free."""
        ground.wait_quiet(self.place, PATIENCE)
        self._empty_log()
        self.disk.leave(self.server, pages)
        first = len(self.said)
        try:
            for _number in range(MOST):
                if not self._say():
                    break
        finally:
            self.disk.free(self.server)
        self._check(self.said[first:])
        waiting = [each for each in self.said[first:] if not _is_taken(each[2])]
        self.reached += bool(waiting)
        for person, packet, statuses in waiting:
            self._insist(person, packet, statuses)

    def _say(self) -> bool:
        person = self.people[len(self.said) % len(self.people)]
        words = ("/ask", "/cancel")[len(self.said) // len(self.people) % 2]
        packet = person.says(words)
        status = deliver(self.server.url, packet)
        self.said.append((person, packet, [status]))
        if status not in (200, 503):
            self.figures.unexpect(f"answered with {status}")
        return status == 200

    def _insist(self, person: Person, packet: Packet, statuses: list[int]) -> None:
        """The provider posts it again; the process is the same as before."""
        self.refused += 1

        def look() -> bool:
            statuses.append(deliver(self.server.url, packet))
            return _is_taken(statuses)

        try:
            until("a 2xx", look, PATIENCE, every=0.1)
            self.figures.recovered += 1
        except TimeoutError:
            self.figures.lose(f"not taken on {person.channel} when there was room again")

    def _check(self, said: Sequence[tuple[Person, Packet, list[int]]]) -> None:
        """What was taken is in the store."""
        held = self.place.store.run_now(outage.held)
        for person, packet, statuses in said:
            if _is_taken(statuses) and outage.key(person.channel, packet.body) not in held:
                self.figures.lose(f"2xx on {person.channel} for what is not in the store")

    def _empty_log(self) -> None:
        """So that the next write is the first one that needs room."""
        if self.place.store.is_sqlite and isinstance(self.disk, Mounted):
            path = make_url(self.place.database_url).database or ""
            with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as db:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _is_taken(statuses: Sequence[int]) -> bool:
    return any(200 <= each < 300 for each in statuses)


def run(store: str, seed: int, *, points: int, most: int = 200) -> Figures:
    """`points` writes, spread from the first to the `most`-th."""
    figures, begun = Figures("e", store, seed), time.monotonic()
    step = most / points
    chosen = sorted({max(1, round(step * (n + 1))) for n in range(points)} | {1, 2, 3})
    random.Random(seed).shuffle(chosen)
    with ExitStack() as exits:
        folder = Path(exits.enter_context(ground.folder()))
        folder.chmod(0o755)  # PostgreSQL runs as another user
        disk = exits.enter_context(small_disk(folder / "disk"))
        if store == "postgresql" and isinstance(disk, Limited):
            figures.what = "not tried: this machine lets us mount nothing"
            return figures
        url = exits.enter_context(_store(store, disk))
        nursery = exits.enter_context(Nursery())
        place = exits.enter_context(town(url, folder, nursery))
        crowd = ground.settle(place, PEOPLE)
        server = place.linkline("run", changes=("soak quickly",)).start().wait_ready()
        place.twilio.control(deliver_callbacks_to=server.url, statuses=["sent"])
        people = [ground.voice(place, crowd, n) for n in range(PEOPLE)]
        full = FullDisk(place, disk, server, figures, people)
        pid = server.pid
        for pages in chosen:
            full.at(pages)
        ground.wait_quiet(place, 120)
        _count(full, store, len(chosen), most)
        if not server.alive() or server.pid != pid:
            figures.unexpect("the server did not live through it")
    figures.notes.append(f"took {time.monotonic() - begun:.0f} s")
    return figures


@contextmanager
def _store(store: str, disk: Disk) -> Iterator[str]:
    """On the small disk; PostgreSQL keeps only its tables there, its log is elsewhere."""
    if store == "sqlite":
        yield ground.migrated(f"sqlite:///{disk.folder / 'soak.db'}")
        return
    with ground.postgres() as server:
        there = disk.folder / "tables"
        there.mkdir()
        owner = pwd.getpwuid(server.folder.stat().st_uid)
        os.chown(there, owner.pw_uid, owner.pw_gid)
        engine = create_engine(server.named("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as db:
            db.execute(text(f"CREATE TABLESPACE small LOCATION '{there}'"))
        engine.dispose()
        yield server.database("TABLESPACE small")


# Counting ---------------------------------------------------------------------------------------


def _count(full: FullDisk, store: str, points: int, most: int) -> None:
    figures, place = full.figures, full.place
    held = place.store.run_now(lambda db: len(db.execute(select(inbox.c.id)).all()))
    figures.unexpect("more or less in the store than was said", abs(held - len(full.said)))
    came = {"telegram": 0, "whatsapp": 0}
    for address, texts in ground.taken(place).items():
        came["whatsapp" if address.startswith("whatsapp") else "telegram"] += texts.total()
    for channel, count in came.items():
        wanted = sum(1 for person, _packet, _statuses in full.said if person.channel == channel)
        figures.lose(f"answers on {channel}", max(0, wanted - count))
        figures.repeat(f"answers on {channel}", max(0, count - wanted))
    for (state, reason), count in ground.states(place).items():
        if state not in ground.SETTLED:
            figures.unexpect(f"{count} deliveries {state} ({reason})", count)
    if store == "sqlite":
        found = place.store.run_now(lambda db: db.execute(text("PRAGMA integrity_check")).scalar())
        if found != "ok":
            figures.unexpect("integrity_check is not ok")
    figures.what = (
        f"disk full at {points} writes up to the {most}th, {len(full.said):,} words,"
        f" {full.refused:,} refused"
    )
    figures.notes.append(f"by {full.disk.name}; {full.reached} times somebody was refused")
