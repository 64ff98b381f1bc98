"""Rotation: with the newest key alone all is there, found by a new lookup key; nothing is lost."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary, func, insert, select, text, type_coerce, update

from bot import clock, doctor, models, seals, upkeep
from bot.columns import Sealed
from bot.db import Database, StoreDown
from bot.media.vault import Vault, new_name
from bot.rotation import Pace, Rotation, RotationError
from bot.seals import Keyring, SealError, new_key
from bot.settings import Settings
from bot.store import inbox, invites, keyed, meeting, members, posts, sealed, secrets
from bot.store.secrets import open_store
from tests import transcript
from tests.stage import Stage

OLD, NEW, NEWER = new_key(), new_key(), new_key()
LANE, NUMBER = "whatsapp/1", "whatsapp:+8562055123456"
ALIAS = "whatsapp:IN.2081978709342942"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "FRESH", 0.05)


class Place:
    """A store, and the keys of this process."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = Database(url)
        self.vault = Vault.from_settings(Settings(media_url=str(folder)))
        self.said: list[str] = []

    def use(self, *keys: str) -> None:
        seals.use(Keyring(keys))
        self.database.run_now(open_store)

    def rotate(self, *keys: str) -> Rotation:
        if keys:
            self.use(*keys)
        found = Rotation(self.database, self.vault, self.said.append)
        found.run()
        return found

    def do(self, work: Callable[[Any], Any]) -> Any:
        return self.database.run_now(work)

    def all(self, statement: Any) -> list[Any]:
        return list(self.do(lambda db: db.execute(statement).all()))

    def heads(self) -> set[bytes]:
        return set(self.do(sealed.count_by_head))


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Any:
    found = Place(database_url, tmp_path / "media")
    found.use(OLD)
    yield found
    found.database.close()


def everything(place: Place) -> dict[str, list[Any]]:
    """All that can be read in the store, but what the store keeps for itself."""
    found = {}
    for table in models.metadata.sorted_tables:
        if table.name != "secrets":
            shown = [each for each in table.columns if each.name not in ("key", "provider_key")]
            found[table.name] = sorted(map(tuple, place.all(select(*shown))), key=str)
    return found


def talk(url: str) -> None:
    """Real turns: an invite, a question, an answer, a draft that is not sent."""

    async def play() -> None:
        stage = Stage(url)
        try:
            await _act(stage)
        finally:
            await stage.close()

    asyncio.run(play())


async def _act(stage: Stage) -> None:
    stage.load(transcript.programme(transcript.Transcript([], {"crafts": []}, [])))
    for name, channel in (("Noy", "whatsapp"), ("Dara", "telegram")):
        stage.settle(stage.add(name, channel, "en"), "crafts")
    await stage.say("Noy", "How do you code the stock in Excel?")
    await stage.later(timedelta(seconds=5))
    await stage.choose("Noy", "Send")
    await stage.reply("Dara", "How do you code", "We number every basket.")
    await stage.later(timedelta(seconds=5))
    await stage.say("Dara", "ask")
    await stage.say("Dara", "A draft that is never sent, for the time being")
    stage.code("crafts")


# All of it


def test_with_the_newest_key_alone_all_is_there(place: Place, database_url: str) -> None:
    use_in_stage(place, database_url, OLD)
    before = everything(place)
    assert sum(map(len, before.values())) > 30
    keys = set(place.all(select(models.address_keys.c.key)))
    place.rotate(NEW, OLD)
    place.use(NEW)
    assert everything(place) == before
    assert place.heads() == {seals.keyring().head}
    assert not keys & set(place.all(select(models.address_keys.c.key)))
    assert [each for each in place.said if "members: 2 rows sealed anew" in each]


def use_in_stage(place: Place, url: str, *keys: str) -> None:
    """A stage makes its own keyring from the settings; here it has these keys."""
    os.environ["LINKLINE_KEYS"] = ",".join(keys)
    try:
        talk(url)
    finally:
        del os.environ["LINKLINE_KEYS"]
    place.use(*keys)


def test_everybody_is_known_afterwards(place: Place, database_url: str) -> None:
    """Her number, her code, the bubble she quotes."""
    use_in_stage(place, database_url, OLD)
    at = clock.now()
    [(_, code)] = place.all(select(models.invites.c.id, models.invites.c.code))
    sent = place.all(
        select(models.dispatches.c.provider_id, models.deliveries.c.lane).join(models.deliveries)
    )
    there = place.all(select(models.addresses.c.lane, models.addresses.c.sealed))
    place.rotate(NEW, OLD)
    place.use(NEW)
    for lane, address in there:
        assert place.do(lambda db: meeting.find_by_address(db, lane, address))  # noqa: B023
        assert place.do(lambda db: meeting.meet(db, lane, [address], at))[1] is False  # noqa: B023
    assert place.do(lambda db: invites.find(db, code, at)) is not None
    for named, lane in sent:
        written = seals.lookup("dispatches.provider_key", lane, named)
        where = models.dispatches.c.provider_key == written
        assert place.all(select(models.dispatches.c.id).where(where))


def test_an_event_that_was_taken_is_taken_for_ever(place: Place) -> None:
    def take(db: Any) -> int | None:
        sender, _ = meeting.meet(db, LANE, [NUMBER], clock.now())
        return inbox.add(db, LANE, "event 1", "{}", clock.now(), sender.address_id)

    assert place.do(take) is not None
    for keys in ((NEW, OLD), (NEWER, NEW), (NEWER,)):
        place.rotate(*keys)
        assert place.do(take) is None
    assert place.all(select(func.count()).select_from(models.members)) == [(1,)]


def test_again_is_no_change(place: Place) -> None:
    place.do(lambda db: meeting.add_ready(db, LANE, NUMBER, clock.now(), name="Noy"))
    place.rotate(NEW, OLD)
    first = place.all(select(models.address_keys.c.key)), place.do(secrets.get_rotating)
    place.rotate(NEW, OLD)
    place.rotate(NEW)
    assert (place.all(select(models.address_keys.c.key)), place.do(secrets.get_rotating)) == first


def test_values_from_before_padding_are_padded(place: Place) -> None:
    place.do(lambda db: meeting.add_ready(db, LANE, NUMBER, clock.now(), name="Noy"))
    raw, nonce = base64.urlsafe_b64decode(OLD), os.urandom(12)
    key_id = hashlib.sha256(b"linkline key id" + raw).digest()[:4]
    short = AESGCM(raw).encrypt(nonce, "ນ້ອຍ".encode(), b"members.name")
    value = b"\x01" + key_id + nonce + short
    place.do(lambda db: db.execute(text("UPDATE members SET name = :v"), {"v": value}))
    place.rotate()
    assert place.all(select(models.members.c.name)) == [("ນ້ອຍ",)]
    [(length,)] = place.all(select(func.length(type_coerce(models.members.c.name, LargeBinary))))
    assert length == 64 + 33


def test_every_table_with_something_sealed_has_one_key() -> None:
    tables = models.metadata.sorted_tables
    with_seals = [
        table for table in tables if any(isinstance(each.type, Sealed) for each in table.columns)
    ]
    assert {table.name for table in with_seals} == set(sealed.list_tables())
    assert {len(table.primary_key.columns) for table in with_seals} == {1}


# Names from before they were kept


def unnamed(place: Place) -> None:
    """Two names of one address, as they were written when only their lookups were kept."""
    place.do(lambda db: meeting.add(db, LANE, [NUMBER, ALIAS], clock.now(), state="active"))
    place.do(lambda db: db.execute(update(models.address_keys).values(name=None)))


def test_a_key_without_its_name_waits_until_she_writes(place: Place) -> None:
    unnamed(place)
    place.rotate(NEW, OLD)
    place.use(NEW)
    names = {row.name for row in place.all(select(models.address_keys.c.name))}
    assert names == {NUMBER, None}
    assert place.do(keyed.count_unnamed) == 1
    clock.move(keyed.EDITED + timedelta(hours=1))
    tick(place)
    assert place.do(secrets.get_rotating).old  # still needed
    assert place.do(lambda db: meeting.find_by_address(db, LANE, ALIAS)) is not None
    assert place.do(lambda db: meeting.meet(db, LANE, [ALIAS], clock.now()))[1] is False
    assert place.do(keyed.count_unnamed) == 0
    tick(place)
    place.use(NEW)
    assert not place.do(secrets.get_rotating).old
    for name in (NUMBER, ALIAS):
        assert place.do(lambda db: meeting.find_by_address(db, LANE, name)) is not None  # noqa: B023


def test_she_names_her_keys_by_writing(place: Place) -> None:
    unnamed(place)
    keys = set(place.all(select(models.address_keys.c.key)))
    assert place.do(lambda db: meeting.meet(db, LANE, [NUMBER, ALIAS], clock.now()))[1] is False
    assert set(place.all(select(models.address_keys.c.key))) == keys
    assert place.do(keyed.count_unnamed) == 0


def tick(place: Place) -> None:
    for _ in range(3):
        place.do(lambda db: upkeep.forget_old_lookups.work(db, clock.now()))


# The older lookup key is forgotten


def test_after_a_week_nothing_is_found_by_the_older_one(place: Place, database_url: str) -> None:
    use_in_stage(place, database_url, OLD)
    before = place.do(secrets.get_rotating)
    [keys] = zip(*place.all(select(models.bubbles.c.key).where(models.bubbles.c.key.is_not(None))),
                 strict=True)  # fmt: skip
    place.rotate(NEW, OLD)
    tick(place)
    assert place.do(secrets.get_rotating).old == (before.write,)
    assert place.all(select(func.count()).where(models.bubbles.c.key.in_(keys))) == [(len(keys),)]
    clock.move(keyed.EDITED + timedelta(minutes=1))
    tick(place)
    assert place.do(secrets.get_rotating).old == ()
    assert not place.all(select(models.bubbles.c.id).where(models.bubbles.c.key.in_(keys)))


def test_an_edit_finds_its_bubble_for_a_week(place: Place, database_url: str) -> None:
    use_in_stage(place, database_url, OLD)
    [event] = [
        each for each in events(place) if "Excel" in each["text"] and each["kind"] == "message"
    ]
    place.rotate(NEW, OLD)
    found = place.do(lambda db: posts.find_by_bubble(db, event["lane"], event["id"]))
    assert found is not None and "Excel" in found[2]


def events(place: Place) -> list[dict[str, Any]]:
    rows = place.all(select(models.inbox.c.payload))
    return [json.loads(row.payload) for row in rows]


# Stopped at any point


class Stopped(Exception):
    """As if it had been killed here."""


def test_stopped_anywhere_it_goes_on(
    place: Place, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each transaction in turn: what is written is right, and the next run goes on."""
    use_in_stage(place, database_url, OLD)
    monkeypatch.setattr(Pace, "most", 3)
    before = everything(place)
    there = place.all(select(models.addresses.c.lane, models.addresses.c.sealed))
    run_now, left = Database.run_now, 0

    def stopping(self: Database, work: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Stopped
        return run_now(self, work)

    for stops in range(1, 400):
        monkeypatch.setattr(Database, "run_now", run_now)
        place.use(NEW, OLD)
        found = Rotation(place.database, place.vault, place.said.append)
        monkeypatch.setattr(Database, "run_now", stopping)
        left = 1 + stops % 9 if stops < 60 else 10_000
        try:
            found.run()
        except Stopped:
            monkeypatch.setattr(Database, "run_now", run_now)
            place.use(NEW, OLD)
            for lane, address in there:
                assert place.do(lambda db: meeting.find_by_address(db, lane, address))  # noqa: B023
        else:
            break
    monkeypatch.setattr(Database, "run_now", run_now)
    assert stops > 8
    place.use(NEW)
    assert everything(place) == before
    assert place.heads() == {seals.keyring().head}
    assert place.do(secrets.get_rotating).renewed


def test_files_are_sealed_anew_wherever_it_was_stopped(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [new_name() for _number in range(7)]
    for name in names:
        place.vault.put_now(name, name.encode())
    reseal = Vault.reseal
    for stops in range(1, 5):

        def stopping(self: Vault, name: str) -> None:
            nonlocal stops
            stops -= 1
            if stops < 0:
                raise Stopped
            reseal(self, name)

        monkeypatch.setattr(Vault, "reseal", stopping)
        if stops < 4:
            with pytest.raises(Stopped):
                place.rotate(NEW, OLD)
        else:
            place.rotate(NEW, OLD)
    place.use(NEW)
    assert place.vault.list_older() == []
    assert [place.vault.get_now(name) for name in names] == [name.encode() for name in names]


def test_a_file_that_is_removed_meanwhile_does_not_come_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = new_name()
    place.vault.put_now(name, b"her voice")
    seal_file = Keyring.seal_file

    def removing(self: Keyring, content: bytes, name: str) -> bytes:
        asyncio.run(place.vault.remove(name))
        return seal_file(self, content, name)

    place.use(NEW, OLD)
    monkeypatch.setattr(Keyring, "seal_file", removing)
    place.vault.reseal(name)
    assert list(place.vault.names()) == []


def test_what_others_write_meanwhile_is_not_overwritten(place: Place) -> None:
    """She changes her name between the reading and the writing of her row."""
    member, _ = place.do(lambda db: meeting.add_ready(db, LANE, NUMBER, clock.now(), name="Noy"))
    place.use(NEW, OLD)
    rows = place.do(lambda db: sealed.list_older(db, "members", None, 10))
    place.do(lambda db: members.mark(db, member, name="Kea"))
    place.do(lambda db: sealed.reseal(db, "members", rows))
    assert place.all(select(models.members.c.name)) == [("Kea",)]
    keys, _ = place.do(lambda db: keyed.list_keys(db, "address_keys", None, 10))
    assert keys == []  # one lookup key only


def test_who_is_forgotten_meanwhile_does_not_come_back(place: Place) -> None:
    place.do(lambda db: meeting.add_ready(db, LANE, NUMBER, clock.now(), name="Noy"))
    place.use(NEW, OLD)
    rows = place.do(lambda db: sealed.list_older(db, "address_keys", None, 10))
    change = lambda under: lambda db: secrets.announce(db, under)  # noqa: E731
    place.do(change("new"))
    place.do(lambda db: secrets.switch(db, "new", clock.now()))
    place.use(NEW, OLD)
    keys, _ = place.do(lambda db: keyed.list_keys(db, "address_keys", None, 10))
    assert len(keys) == len(rows) == 1
    place.do(lambda db: db.execute(text("DELETE FROM address_keys")))
    place.do(lambda db: keyed.renew(db, "address_keys", keys))
    place.do(lambda db: sealed.reseal(db, "address_keys", rows))
    assert place.all(select(models.address_keys)) == []


# Running processes


def test_a_process_learns_of_a_new_key_before_it_needs_it(
    place: Place, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it knows is never older than FRESH when a transaction begins."""
    monkeypatch.setattr(secrets, "FRESH", 0.0)
    other = Keyring([NEW, OLD])
    mine = Keyring([OLD, NEW])
    seals.use(mine)
    place.do(open_store)
    place.do(lambda db: meeting.add_ready(db, LANE, NUMBER, clock.now(), name="Noy"))
    for change in (
        lambda db: secrets.announce(db, "new"),
        lambda db: secrets.switch(db, "new", clock.now()),
    ):
        seals.use(other)
        place.database.opening = open_store
        place.do(change)
        place.do(open_store)
        seals.use(mine)
        place.database.opening = secrets.keep_fresh
        assert place.do(lambda db: meeting.find_by_address(db, LANE, NUMBER)) is not None
        assert mine.lookups("x", "t.c") == other.lookups("x", "t.c")
        assert mine.lookup("x", "t.c") == other.lookup("x", "t.c")


def test_a_process_with_older_keys_takes_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot read the new lookup key: a provider is told to come again."""
    place.rotate(NEW, OLD)
    seals.use(Keyring([OLD]))
    seals.keyring().use_lookups(seals.Lookups(new_key(), new_key()), read_at=0)
    place.database.opening = secrets.keep_fresh
    with pytest.raises(StoreDown):
        place.do(lambda db: meeting.find_by_address(db, LANE, NUMBER))


# Wrong keys


def test_the_missing_old_key(place: Place) -> None:
    place.do(lambda db: meeting.add_ready(db, LANE, NUMBER, clock.now(), name="Noy"))
    place.rotate(NEW, OLD)
    place.use(NEW)
    value = Keyring([OLD]).seal("Kea", "members.name")
    place.do(lambda db: db.execute(text("UPDATE members SET name = :v"), {"v": value}))
    with pytest.raises(SealError, match=r"members\.name: sealed with a key that is not in LINK"):
        place.rotate(NEW)
    place.rotate(NEW, OLD)
    assert place.all(select(models.members.c.name)) == [("Kea",)]


def test_the_wrong_order(place: Place) -> None:
    place.use(OLD, NEW)
    with pytest.raises(
        RotationError, match="LINKLINE_KEYS: nothing here is sealed with key 2 of 2"
    ):
        place.rotate()
    place.rotate(NEW, OLD)
    place.use(OLD, NEW)
    with pytest.raises(RotationError, match="LINKLINE_KEYS: the first key is older"):
        place.rotate()
    place.rotate(NEW, OLD)


def test_somebody_who_still_seals_with_the_older_key(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.do(lambda db: meeting.add_ready(db, LANE, NUMBER, clock.now(), name="Noy"))
    write, other = sealed.reseal, Keyring([OLD])

    def and_another(db: Any, table: str, rows: Any) -> None:
        write(db, table, rows)
        value = other.seal("Noy", "members.name")
        db.execute(text("UPDATE members SET name = :v"), {"v": value})

    monkeypatch.setattr(sealed, "reseal", and_another)
    with pytest.raises(RotationError, match="LINKLINE_KEYS: another process still seals"):
        place.rotate(NEW, OLD)


# Its pace


def test_the_pace_holds_nobody_up() -> None:
    pace = Pace()
    for _ in range(50):
        pace.took(pace.rows, pace.rows * 0.0001)  # a quick disk
    assert 90 <= pace.rows <= 100
    pace.took(pace.rows, 0.2)  # it has become slow
    assert pace.rows <= 5
    for _ in range(50):
        pace.took(pace.rows, 0.005 + pace.rows * 0.01)
    assert 1 <= pace.rows <= 2
    assert pace.longest >= 0.2


def test_it_is_cut_as_the_pace_says() -> None:
    pace = Pace()
    parts = []
    for part in pace.cut(list(range(100))):
        parts.append(len(part))
        pace.took(len(part), 0.0001 * len(part))
    assert sum(parts) == 100
    assert parts[:3] == [10, 20, 40]


def test_the_writer_is_never_held_for_long(place: Place) -> None:
    """With 3,000 members; the bound is generous, since others use this machine as well."""
    now = clock.now()
    rows = [
        {"state": "active", "name": f"Noy {n}", "organisation": "Weavers", "created_at": now}
        for n in range(3000)
    ]
    place.do(lambda db: db.execute(insert(models.members), rows))
    found = place.rotate(NEW, OLD)
    print(f"{found.pace.longest * 1000:.1f} ms at the longest")
    assert found.pace.longest < 0.25
    assert place.heads() == {seals.keyring().head}


# What the doctor says


def advice(place: Place) -> list[str]:
    found = place.do(lambda db: [doctor._keys(db), *doctor._lookup_keys(db)])
    return [f"{'ok' if fine else 'FAIL'} {line}" for fine, line in found]


def test_the_doctor_knows_which_keys_are_needed(place: Place) -> None:
    assert advice(place) == ["ok keys: everything is sealed with the key of LINKLINE_KEYS"]
    unnamed(place)
    place.use(NEW, OLD)
    assert "run `linkline keys rotate`" in advice(place)[0]
    place.rotate()
    first, second = advice(place)
    assert first.endswith("take the others out")
    assert "lookup key: the older one is kept until" in second
    assert second.endswith("1 addresses are found by it until they write again")
    place.do(lambda db: members.mark(db, 1, name="Kea"))
    place.use(NEWER, NEW)
    place.do(lambda db: members.mark(db, 1, name="Noy"))
    place.do(lambda db: secrets.announce(db, "half"))
    assert "half rotated" in advice(place)[1]
    value = Keyring([OLD]).seal("Kea", "members.name")
    place.do(lambda db: db.execute(text("UPDATE members SET name = :v"), {"v": value}))
    assert advice(place)[0].startswith("FAIL keys: 1 values are sealed with a key that is not in")
