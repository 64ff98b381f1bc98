"""Killed with -9 while a spoken report is on its way: it comes once, and who should hear does."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot import reporting
from bot.media.shelves import Folder
from bot.models import addresses, deliveries, envelopes, media, memberships, messages, notes
from bot.rehearsal import samples
from bot.store import reports
from tests.processes import Linkline, Nursery, Person, Town, deliver, insist, telegram, town, until

pytestmark = pytest.mark.repeats

HER, READER = "Noyzebra", "Sopheazebra"
KEPT = "a report kept, not committed"
HEARD = (
    "a report's files taken in, not committed",
    "an envelope opened, not committed",
    "a file in the vault, not written down",
    "readers of a report told, not committed",
)
LOST = ("a file of a report found lost, not committed", "who reported told, not committed")
TOLD = {HER: "Something new is there for you.", READER: "A concern was reported"}


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as found:
        yield found


def member(place: Town, person: Person) -> int:
    wanted = select(addresses.c.member_id, addresses.c.sealed)
    found = place.store.run_now(lambda db: list(db.execute(wanted)))
    return next(row.member_id for row in found if row.sealed == person.address)


def told(place: Town, name: str) -> int:
    """How often others than the bot's answers were said to her; counted where none repeats."""
    hers = (
        deliveries.c.member_id == member(place, place.people[name]),
        messages.c.kind != "direct",
    )
    count = select(func.count()).select_from(deliveries).join(messages).where(*hers)
    return place.store.run_now(lambda db: db.execute(count).scalar_one())


def rows(place: Town, table: Any) -> list[Any]:
    return place.store.run_now(lambda db: list(db.execute(select(table))))


def hasten(place: Town) -> None:
    """What is held is due now, in its order."""
    for each in rows(place, envelopes):
        mine = update(envelopes).where(envelopes.c.id == each.id)
        sooner = mine.values(due_at=each.due_at - reports.LATEST - reporting.SOON)
        place.store.run_now(lambda db, sooner=sooner: db.execute(sooner))


def report(place: Town, server: Linkline, gate: Path) -> None:
    """By voice, without her name; the process dies when it is kept, and it is kept once."""
    her = place.people[HER]
    insist([server.url], her.says("report"))
    place.hears(HER, "Here you can tell")
    insist([server.url], telegram(her.phone.voice("AwACAgUAAx-voice")))
    for words, index in (("Shall they see your name?", 1), ("Shall it go out as it is?", 0)):
        insist([server.url], her.chooses(place.hears(HER, words), index))
    last = her.chooses(place.hears(HER, "Shall I tell you here"), 1)
    gate.touch()
    assert deliver(server.url, last) == 0
    server.wait()
    server.start().wait_ready()
    insist([server.url], last)
    insist([server.url], last)  # Telegram says it twice
    server.kill()


@pytest.mark.parametrize(
    ("database_url", "arrives"), [("sqlite", True), ("sqlite", False)], indirect=["database_url"]
)
def test_killed_on_its_way(
    database_url: str, arrives: bool, tmp_path: Path, nursery: Nursery
) -> None:
    with town(database_url, tmp_path, nursery) as place:
        for name in (HER, READER):
            place.settle(name, "telegram", "en")
        hers = memberships.c.member_id == member(place, place.people[READER])
        role = update(memberships).where(hers).values(role="focal_point")
        place.store.run_now(lambda db: db.execute(role))
        sent = samples.read("voice") if arrives else b"no voice at all"
        place.telegram.control(files={"AwACAgUAAx-voice": base64.b64encode(sent).decode()})
        gate = tmp_path / "gate"
        server = place.linkline("run")
        server.start((KEPT, 1, str(gate))).wait_ready()
        report(place, server, gate)
        hasten(place)
        server.changes.append("open at once")
        for point in HEARD if arrives else LOST:
            server.start((point, 1, str(gate)))
            assert server.wait() == -9, f"{point}: {server.errors()}"
        server.start().wait_ready()
        place.hears(READER if arrives else HER, TOLD[READER if arrives else HER])
        until("nothing to be held", lambda: not rows(place, envelopes))
        server.kill()
        assert (told(place, READER), told(place, HER)) == (1, int(not arrives))
        [note], [file] = rows(place, notes), rows(place, media)
        assert (note.media_id, file.state) == (file.id, "stored" if arrives else "failed")
        there = list(Folder(place.media).names())
        assert there == ([file.name] if arrives else [])
