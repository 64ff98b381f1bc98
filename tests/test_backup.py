"""Backups: all of it comes back on either database, or nothing changes."""

from __future__ import annotations

import io
import json
import random
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, func, insert, select, text, type_coerce, update

from alembic import command
from bot import archive, backup, cli, clock, ledgers, library, seals
from bot.app import list_channels
from bot.archive import ArchiveError
from bot.cli import alembic_config
from bot.db import Database
from bot.media.vault import Vault, new_name
from bot.messages import Message, Text
from bot.models import (
    addresses,
    backups,
    deliveries,
    dispatches,
    lanes,
    ledger,
    members,
    metadata,
    occurrences,
)
from bot.seals import Keyring, new_key
from bot.settings import Settings
from bot.store import audiences, communities, copying, forgetting, meeting, messages, programmes
from bot.store import threads as thread_store
from bot.store.audiences import Audience
from bot.store.copying import _PLAIN, _kind
from bot.store.secrets import open_store
from bot.tenancy import Occupied, Tenancy
from tests.conftest import _execute, _named
from tests.processes import until
from tests.test_cli import Shell

NAMES = {"en": "Crafts", "lo": "ຫັດຖະກຳ", "km": "សិប្បកម្ម"}
WHATSAPP = "whatsapp/14155238886"
TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0a" * 16,
    "TWILIO_AUTH_TOKEN": "an-auth-token",
    "TWILIO_WHATSAPP_FROM": "whatsapp:+14155238886",
    "PUBLIC_URL": "https://bot.example.org",
}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    found = Shell(monkeypatch, capsys)
    found.set(LINKLINE_KEYS=seals.new_key())
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where nothing is yet, not even tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'other.db'}"
        return
    url = request.getfixturevalue("postgresql")
    name = f"other_{random.randrange(10**9)}"
    _execute(url, f"CREATE DATABASE {name}")
    yield _named(url, name)
    _execute(url, f"DROP DATABASE {name} WITH (FORCE)")


class Store:
    """A store that is opened for each look and closed again, as the command line does."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key

    def __call__(self, work: Any) -> Any:
        seals.use(Keyring([self.key]))
        database = Database(self.url)
        try:
            database.run_now(open_store)
            return database.run_now(work)
        finally:
            database.close()

    def rows(self) -> dict[str, Any]:
        def read(db: Connection) -> dict[str, Any]:
            return {
                each.name: sorted(
                    db.execute(
                        select(*(type_coerce(c, _PLAIN[_kind(c)]).label(c.name) for c in each.c))
                    ).all(),
                    key=str,
                )
                for each in metadata.sorted_tables
            }

        return self(read)  # type: ignore[no-any-return]


@pytest.fixture
def store(shell: Shell, database_url: str) -> Store:
    """Noy and Dara in one community, a question, things that wait."""
    shell.set(DATABASE_URL=database_url)
    found = Store(database_url, cli.read_settings().keys()[0])
    found(_fill)
    return found


def _fill(db: Connection) -> None:
    programme_id = programmes.save(db, "p", NAMES, "help@example.org")
    row = {
        "slug": "crafts", "language": "lo", "timezone": "Asia/Vientiane",
        "approval": False, "discreet": False,
    }  # fmt: skip
    community_id = communities.save_community(db, programme_id, row)
    library.take(db, [library.of_community(community_id, "name", "lo", NAMES)], clock.now())
    for lane, name in ((WHATSAPP, "Noyzebra"), ("telegram/1", "Darazebra"), (WHATSAPP, "Boun")):
        member_id, _address = meeting.add_ready(
            db, lane, name, clock.now(), name=name, language="lo", consent_at=clock.now()
        )
        communities.join(db, member_id, community_id, "member", "active", clock.now())
    first = db.execute(select(func.min(members.c.id))).scalar_one()
    thread_store.add(db, community_id, first, clock.now())
    say(db, "waits zebra ສະບາຍດີ")


def say(db: Connection, words: str, kind: str = "broadcast", due: timedelta = timedelta(0)) -> int:
    community = communities.find(db, "crafts")
    assert community is not None
    id_ = messages.add(db, words, kind, Message((Text(words),)), clock.now(), community.id)
    assert id_ is not None
    audiences.tell(db, id_, kind, Audience("community", community.id), clock.now() + due)
    return id_


def at(shell: Shell, url: str) -> Shell:
    shell.set(DATABASE_URL=url)
    return shell


def done(shell: Shell, *words: str) -> str:
    ended = shell(*words)
    assert ended.code == 0, ended
    return ended.out


def vault_of(tmp_path: Path) -> Vault:
    return Vault.from_settings(Settings(media_url=str(tmp_path / "media")))


# There and back ----------------------------------------------------------------------------------


def test_all_rows_come_back_on_either_database(
    shell: Shell, store: Store, other_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.backup"
    before = store.rows()
    done(shell, "backup", str(file))
    done(at(shell, other_url), "restore", str(file), "--send-waiting")
    after = Store(other_url, store.key).rows()
    changed = {"lanes", "backups", "floors"}
    assert {name: rows for name, rows in after.items() if name not in changed} == {
        name: rows for name, rows in before.items() if name not in changed
    }
    assert sum(map(len, before.values())) > 15
    again = tmp_path / "b.backup"
    done(shell, "backup", str(again))  # and home again
    done(at(shell, store.url), "restore", str(again), "--send-waiting", "--replace", "--yes")
    home = store.rows()
    assert {name: rows for name, rows in home.items() if name not in changed} == {
        name: rows for name, rows in before.items() if name not in changed
    }


def test_files_come_back_with_their_rows(shell: Shell, store: Store, tmp_path: Path) -> None:
    folder, file = tmp_path / "media", str(tmp_path / "a.backup")
    shell.set(MEDIA_URL=str(folder))
    seals.use(Keyring([store.key]))
    kept = {new_name(): b"", new_name(): b"a voice", new_name(): random.randbytes(900_000)}
    for name, content in kept.items():
        vault_of(tmp_path).put_now(name, content)
    done(shell, "backup", file)
    for lost in (*folder.iterdir(), folder):
        lost.rmdir() if lost.is_dir() else lost.unlink()
    done(shell, "restore", file, "--replace", "--yes")
    vault = vault_of(tmp_path)
    assert {name: vault.get_now(name) for name in vault.names()} == kept


def test_a_file_that_was_sealed_anew_since_is_left_as_it_is(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    shell.set(MEDIA_URL=str(tmp_path / "media"))
    seals.use(Keyring([store.key]))
    vault, name, newer = vault_of(tmp_path), new_name(), new_key()
    vault.put_now(name, b"a voice")
    done(shell, "backup", str(tmp_path / "a.backup"))
    shell.set(LINKLINE_KEYS=f"{newer},{store.key}")
    seals.use(Keyring([newer, store.key]))
    vault.reseal(name)
    done(shell, "restore", str(tmp_path / "a.backup"), "--replace", "--yes")
    seals.use(Keyring([newer]))
    assert vault.get_now(name) == b"a voice"


def test_numbers_are_never_given_again(
    shell: Shell, store: Store, other_url: str, tmp_path: Path
) -> None:
    """Neither of rows that are gone, nor of those that came after the backup."""

    def erase_last(db: Connection) -> int:
        last: int = db.execute(select(func.max(members.c.id))).scalar_one()
        db.execute(members.delete().where(members.c.id == last))
        return last

    gone = store(erase_last)
    done(shell, "backup", str(tmp_path / "a"))
    given_since = store(
        lambda db: meeting.add(db, "telegram/1", ["Late"], clock.now(), state="new")
    )
    number_since = store(_ask)
    done(at(shell, other_url), "restore", str(tmp_path / "a"))
    other = Store(other_url, store.key)
    new = other(lambda db: meeting.add(db, "telegram/1", ["Late"], clock.now(), state="new"))
    assert new > given_since > gone
    assert other(_ask) > number_since


def _ask(db: Connection) -> int:
    community = communities.find(db, "crafts")
    first = db.execute(select(func.min(members.c.id))).scalar_one()
    assert community is not None
    return thread_store.add(db, community.id, first, clock.now()).number


def test_numbers_go_on_where_the_store_still_knows_them(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    done(shell, "backup", str(tmp_path / "a"))
    last = [store(_ask) for _ in range(3)][-1]
    done(shell, "restore", str(tmp_path / "a"), "--replace", "--yes")
    assert store(_ask) == last + 1


def test_it_is_one_moment_though_people_write(
    shell: Shell, store: Store, other_url: str, tmp_path: Path
) -> None:
    """Two rows that are always written together are never torn apart."""
    over = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        database = Database(store.url)
        while not over.is_set():
            database.run_now(_add_pair)
            written += 1
        database.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(3):
            until("some pairs", lambda: written > 5 * (n + 1))  # noqa: B023
            done(shell, "backup", str(tmp_path / f"{n}"))
    finally:
        over.set()
        writer.join()
    assert written > 10
    done(at(shell, other_url), "restore", str(tmp_path / "2"), "--send-waiting")
    firsts, seconds = Store(other_url, store.key)(
        lambda db: [
            db.execute(select(func.count()).where(occurrences.c.key.like(f"{each}%"))).scalar()
            for each in ("first", "second")
        ]
    )
    assert firsts == seconds > 5


def _add_pair(db: Connection) -> None:
    """At both ends of what a backup reads, as far as possible."""
    at = time.monotonic_ns()
    for each in ("first", "second"):
        db.execute(insert(occurrences).values(key=f"{each} {at}", taken_at=clock.now()))
        db.execute(insert(backups).values(made_at=clock.now(), size=1))


# Files that are no good --------------------------------------------------------------------------


def written(records: int = 3000, key: str | None = None) -> tuple[bytes, Keyring]:
    ring = Keyring([key or seals.new_key()])
    file = io.BytesIO()
    writer = archive.Writer(file, ring, "0009", clock.now())
    for n in range(records):
        writer.add([n, "x" * 300])
    writer.close()
    return file.getvalue(), ring


def read(content: bytes, ring: Keyring) -> int:
    return sum(1 for _ in archive.read(io.BytesIO(content), ring))


def pieces(content: bytes) -> tuple[bytes, list[bytes]]:
    start = content.index(b"\n", len(archive.MAGIC)) + 1
    at, found = start, []
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big") & 0x7FFFFFFF
        found.append(content[at : at + 4 + size])
        at += 4 + size
    return content[:start], found


def test_what_was_written_is_read() -> None:
    content, ring = written()
    assert read(content, ring) == 3000
    assert len(pieces(content)[1]) >= 4


def test_any_change_is_seen() -> None:
    content, ring = written()
    head, parts = pieces(content)
    chance = random.Random(5)
    places = [*range(len(archive.MAGIC), len(head) + 40), *chance.sample(range(len(content)), 200)]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        with pytest.raises(ArchiveError):
            read(bytes(changed), ring)
    for cut in (*chance.sample(range(len(content)), 50), len(content) - 1):
        with pytest.raises(ArchiveError):
            read(content[:cut], ring)
    other, _ring = written()
    mixes = [
        head + b"".join(parts[:-1]),  # its end is missing
        head + b"".join([parts[1], parts[0], *parts[2:]]),
        head + b"".join([parts[0], *parts]),
        head + b"".join(pieces(other)[1]),
        head + parts[0] + b"".join(pieces(other)[1][1:]),
        content + b"x",
        content + parts[-1],
    ]
    for mixed in mixes:
        with pytest.raises(ArchiveError):
            read(mixed, ring)


def test_each_file_has_a_key_of_its_own() -> None:
    key = seals.new_key()
    one, _ring = written(1, key)
    two, _ring = written(1, key)
    assert pieces(one)[1] != pieces(two)[1]
    assert key.encode() not in one


def test_nothing_can_be_read_in_it(shell: Shell, store: Store, tmp_path: Path) -> None:
    done(shell, "backup", str(tmp_path / "a"))
    content = (tmp_path / "a").read_bytes()
    for word in (b"zebra", b"crafts", b"members", "ຫັດ".encode(), store.key.encode(), b"lookup"):
        assert word not in content
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_refusals_change_nothing(shell: Shell, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "a"
    done(shell, "backup", str(file))
    before = store.rows()
    content = file.read_bytes()

    def refused(words: str, *options: str) -> None:
        line = shell.fails("restore", str(file), *options)
        assert words in line, line
        assert store.rows() == before

    refused("--replace")
    sure = ("--replace", "--yes")
    file.write_bytes(content[:-3])
    refused("cut off", *sure)
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    refused("damaged", *sure)
    file.write_bytes(b"Dear all, " * 100)
    refused("no backup of Linkline", *sure)
    file.write_bytes(b"")
    refused("no backup of Linkline", *sure)
    file.write_bytes(content.replace(b'"format": 1', b'"format": 2'))
    refused("newer Linkline", *sure)
    file.write_bytes(content)
    shell.set(LINKLINE_KEYS=seals.new_key())
    line = shell.fails("restore", str(file), *sure)
    assert "add the key that belongs to it" in line
    shell.set(LINKLINE_KEYS=f"{seals.new_key()},{store.key}")
    done(shell, "restore", str(file), *sure)


def test_a_newer_schema_is_refused(shell: Shell, store: Store, tmp_path: Path) -> None:
    ring = Keyring([store.key])
    with (tmp_path / "a").open("wb") as file:
        archive.Writer(file, ring, "9999", clock.now()).close()
    assert "newer Linkline" in shell.fails("restore", str(tmp_path / "a"), "--replace", "--yes")


def test_a_file_that_is_sealed_but_not_whole(shell: Shell, store: Store, tmp_path: Path) -> None:
    before = store.rows()
    for records in ([], [{"table": "members", "columns": [["id", "int"]]}, {"rows": 3}]):
        with (tmp_path / "a").open("wb") as file:
            writer = archive.Writer(file, Keyring([store.key]), "0009", clock.now())
            for each in records:
                writer.add(each)
            writer.close()
        assert "not whole" in shell.fails("restore", str(tmp_path / "a"), "--replace", "--yes")
        assert store.rows() == before


def test_an_older_schema_is_brought_up_to_date(
    shell: Shell, store: Store, other_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup from before this version: its tables are made as they were, filled, migrated."""
    command.downgrade(alembic_config(store.url), "0008")
    seals.use(Keyring([store.key]))
    database = Database(store.url)
    older = MetaData()
    older.reflect(database.engine)
    older.remove(older.tables["alembic_version"])
    with monkeypatch.context() as patch, (tmp_path / "a").open("wb") as file:
        patch.setattr(copying, "metadata", older)
        backup.make(database, vault_of(tmp_path), file, "0008", clock.now())
    database.close()
    done(at(shell, other_url), "restore", str(tmp_path / "a"))
    found = Store(other_url, store.key)
    assert found(lambda db: db.execute(select(func.count(members.c.id))).scalar()) == 3
    assert done(shell, "migrate") == "The store is up to date.\n"
    found(_ask)


def test_a_store_that_is_not_up_to_date_is_not_backed_up(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    command.downgrade(alembic_config(store.url), "0008")
    assert "linkline migrate" in shell.fails("backup", str(tmp_path / "a"))
    assert list(tmp_path.glob("a*")) == []


def test_typed_confirmation(
    shell: Shell, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(shell, "backup", str(tmp_path / "a"))
    store(lambda db: say(db, "later"))
    before = store.rows()
    for typed, code in (("yes\n", 1), ("", 1), ("replace\n", 0)):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        assert shell("restore", str(tmp_path / "a"), "--replace").code == code
        assert (store.rows() == before) == bool(code)


def test_standard_output(shell: Shell, store: Store, tmp_path: Path) -> None:
    class Out(io.StringIO):
        buffer = io.BytesIO()

    shell.monkeypatch.setattr(sys, "argv", ["linkline", "backup", "-"])
    shell.monkeypatch.setattr(sys, "stdout", Out())
    cli.main()
    assert read(Out.buffer.getvalue(), Keyring([store.key])) > 20


def test_a_folder_that_is_not_there(shell: Shell, store: Store) -> None:
    assert "cannot be written" in shell.fails("backup", "/no/such/folder/a")


def test_a_very_old_backup(shell: Shell, store: Store, tmp_path: Path) -> None:
    done(shell, "backup", str(tmp_path / "a"))
    clock.move(timedelta(days=91))
    sure = ("restore", str(tmp_path / "a"), "--replace", "--yes")
    assert "--old" in shell.fails(*sure)
    done(shell, *sure, "--old")


# Others at work ----------------------------------------------------------------------------------


def test_nothing_is_exchanged_below_who_serves(shell: Shell, store: Store, tmp_path: Path) -> None:
    done(shell, "backup", str(tmp_path / "a"))
    sure = ("restore", str(tmp_path / "a"), "--replace", "--yes")
    serving = Database(store.url)
    serving.run_now(lambda db: db.execute(text("SELECT 1")))
    tenancy = Tenancy(serving)
    tenancy.share()
    assert "stop web and worker" in shell.fails(*sure)
    tenancy.give_back()
    serving.close()
    done(shell, *sure)


def test_who_wants_to_serve_waits_for_a_restore(store: Store) -> None:
    database = Database(store.url)
    if database.is_sqlite:
        tenancy, other = Tenancy(database), Tenancy(database)
        tenancy.take()
        with pytest.raises(Occupied):
            other.share()
        tenancy.give_back()
        other.share()
        other.give_back()
    database.close()


def test_a_store_that_is_spoilt(shell: Shell, store: Store, tmp_path: Path) -> None:
    if not store.url.startswith("sqlite"):
        pytest.skip("files only")
    done(shell, "backup", str(tmp_path / "a"))
    before = store.rows()
    path = Path(store.url.removeprefix("sqlite:///"))
    path.write_bytes(b"Dear all, " * 5000)
    path.with_name(path.name + "-wal").write_bytes(b"of another time")
    assert "--replace" in shell.fails("restore", str(tmp_path / "a"))
    done(shell, "restore", str(tmp_path / "a"), "--replace", "--yes", "--send-waiting")
    assert store.rows()["members"] == before["members"]


# What waited -------------------------------------------------------------------------------------


def test_what_may_have_been_sent_is_not_sent_again(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    shell.set(**TWILIO)
    [lane] = [each.lane for each in list_channels(cli.read_settings()) if each.name == "whatsapp"]

    def prepare(db: Connection) -> None:
        db.execute(update(deliveries).values(lane=lane).where(deliveries.c.lane == WHATSAPP))
        db.execute(update(addresses).values(lane=lane).where(addresses.c.lane == WHATSAPP))
        say(db, "tomorrow", due=timedelta(hours=9))
        held = say(db, "held")
        db.execute(update(deliveries).where(deliveries.c.message_id == held).values(state="held"))
        under_way = say(db, "under way")
        ids = db.execute(
            select(deliveries.c.id).where(deliveries.c.message_id == under_way)
        ).scalars().all()  # fmt: skip
        db.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(state="sending"))
        for id_ in ids:
            row = {
                "delivery_id": id_, "part": 0, "token": f"t{id_}", "state": "sending",
                "content": {"text": "zebra"}, "created_at": clock.now(),
            }  # fmt: skip
            db.execute(insert(dispatches).values(row))
        db.execute(
            update(messages.messages)
            .where(messages.messages.c.id == under_way)
            .values(audience={"kind": "community"})
        )

    store(prepare)
    done(shell, "backup", str(tmp_path / "a"))
    clock.move(timedelta(hours=1))
    out = done(shell, "restore", str(tmp_path / "a"), "--replace", "--yes")
    found_states = store(
        lambda db: db.execute(
            select(
                deliveries.c.lane, deliveries.c.state, deliveries.c.reason, func.count()
            ).group_by(deliveries.c.lane, deliveries.c.state, deliveries.c.reason)
        ).all()
    )
    states = {(lane_, state, reason): n for lane_, state, reason, n in found_states}
    assert states == {
        (lane, "dropped", "restored"): 2,  # was due: nobody can tell whether it was sent
        ("telegram/1", "dropped", "restored"): 2,  # and what stood as sending
        (lane, "unknown", None): 2,  # Twilio is asked
        (lane, "queued", None): 2,  # for tomorrow
        ("telegram/1", "queued", None): 1,
        (lane, "held", None): 2,
        ("telegram/1", "held", None): 1,
    }
    assert "4 not sent again" in out and "2 looked up" in out and "3 sent later" in out
    assert "1 announcements" in out
    parts = store(lambda db: db.execute(select(dispatches.c.state, dispatches.c.content)).all())
    assert sorted((state, content is None) for state, content in parts) == [
        ("unknown", False), ("unknown", False), ("unknown", True),
    ]  # fmt: skip


def test_lanes_are_free_and_know_since_when_they_were_deaf(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    at_first = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {"name": "a", "fence": 7, "owner": "me", "leased_until": at_first, "heard_at": at_first},
        {"name": "b", "fence": 7, "owner": None, "leased_until": None, "heard_at": None},
    ]
    store(lambda db: db.execute(insert(lanes), rows))
    done(shell, "backup", str(tmp_path / "a"))
    clock.move(timedelta(hours=1))
    done(shell, "restore", str(tmp_path / "a"), "--replace", "--yes")
    found = store(lambda db: db.execute(select(lanes).order_by(lanes.c.name)).all())
    made_at = store(lambda db: db.execute(select(func.max(backups.c.made_at))).scalar())
    assert [(row.fence, row.owner, row.leased_until) for row in found] == [(8, None, None)] * 2
    assert [row.heard_at for row in found] == [at_first, made_at]


# The ledger --------------------------------------------------------------------------------------


def member_named(db: Connection, name: str) -> int:
    rows = db.execute(select(members.c.id, members.c.name))
    return next(row.id for row in rows if row.name == name)


def erase(store: Store, name: str, *, posts_too: bool = True) -> int:
    def work(db: Connection) -> int:
        member_id = member_named(db, name)
        forgetting.begin(db, member_id, clock.now(), posts_too=posts_too)
        return member_id

    return store(work)  # type: ignore[no-any-return]


@pytest.mark.parametrize("kept", ["store", "file", "setting"])
def test_who_was_erased_since_is_forgotten_again(
    kept: str, shell: Shell, store: Store, other_url: str, tmp_path: Path
) -> None:
    """Known from the store that is replaced, from a file that is named, or from the setting."""
    done(shell, "backup", str(tmp_path / "a"))
    clock.move(timedelta(hours=1))
    her = erase(store, "Noyzebra")
    url, options = other_url, []
    if kept == "store":
        url, options = store.url, ["--replace", "--yes"]
    elif kept == "file":
        done(shell, "ledger", str(tmp_path / "kept"))
        options = ["--ledger", str(tmp_path / "kept")]
    else:
        (tmp_path / "kept").write_text(done(shell, "ledger"), encoding="ascii")
        shell.set(LINKLINE_LEDGER=str(tmp_path / "kept"))
    out = done(at(shell, url), "restore", str(tmp_path / "a"), "--send-waiting", *options)
    assert "Forgotten again: 1 " in out
    found = Store(url, store.key)

    def look(db: Connection) -> Any:
        row = db.execute(select(members).where(members.c.id == her)).one()
        states = db.execute(select(deliveries.c.state).where(deliveries.c.member_id == her))
        return row.state, row.name, row.erases_posts, set(states.scalars())

    assert found(look) == ("erasing", None, True, {"dropped"})
    assert found(lambda db: meeting.find_by_address(db, WHATSAPP, "Noyzebra")) is None
    assert found(lambda db: meeting.find_by_address(db, "telegram/1", "Darazebra")) is not None
    assert found(lambda db: db.execute(select(ledger.c.member_id)).scalars().all()) == [her]


def test_ledgers_that_are_no_good(
    shell: Shell, store: Store, other_url: str, tmp_path: Path
) -> None:
    done(shell, "backup", str(tmp_path / "a"))
    erase(store, "Noyzebra")
    lines = done(shell, "ledger")
    kept = tmp_path / "kept"

    def refused(words: str) -> None:
        at(shell, other_url)
        assert words in shell.fails("restore", str(tmp_path / "a"), "--ledger", str(kept))
        path = other_url.removeprefix("sqlite:///")
        assert not other_url.startswith("sqlite") or Path(path).stat().st_size == 0

    kept.write_text("Dear all\n", encoding="ascii")
    refused("does not open with LINKLINE_KEYS")
    kept.write_text(lines[:-9] + "AAAAAAA=\n", encoding="ascii")
    refused("does not open with LINKLINE_KEYS")
    kept.write_bytes(b"\xff\xfe")
    refused("cannot be read")
    stranger = f"sqlite:///{tmp_path / 'stranger.db'}"
    done(at(shell, stranger), "migrate")
    other = Store(stranger, store.key)
    other(_fill)
    erase(other, "Darazebra")
    kept.write_text(done(shell, "ledger"), encoding="ascii")
    refused("of another store")


def test_a_store_that_is_replaced_by_another_ones_backup(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    """What was there before has a ledger about other people."""
    done(shell, "backup", str(tmp_path / "a"))
    stranger = f"sqlite:///{tmp_path / 'stranger.db'}"
    done(at(shell, stranger), "migrate")
    other = Store(stranger, store.key)
    other(_fill)
    erase(other, "Darazebra")
    shell.set(LINKLINE_LEDGER=str(tmp_path / "none"))
    out = done(shell, "restore", str(tmp_path / "a"), "--replace", "--yes")
    assert "Forgotten again" not in out
    assert other(lambda db: member_named(db, "Darazebra"))


def test_the_file_of_the_ledger_only_grows_and_forgets_what_is_old(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "kept"
    entries = [
        ledgers.Entry(clock.now() - timedelta(days=days), n, False)
        for n, days in enumerate((101, 99, 1))
    ]

    def keep(db: Connection, some: list[ledgers.Entry]) -> list[int]:
        ledgers.keep(path, some, clock.now())
        return [each.member_id for each in ledgers.read(path)]

    assert store(lambda db: keep(db, entries)) == [1, 2]
    assert store(lambda db: keep(db, [])) == [1, 2]
    assert store(lambda db: keep(db, [ledgers.Entry(clock.now(), 9, True)])) == [1, 2, 9]
    assert path.stat().st_mode & 0o777 == 0o600


def test_json_only(store: Store) -> None:
    """What a record holds is the same after it was written and read."""
    for record in ([None, True, 2**62, "ສະ\u2028ບາຍ\r\n\x0b\x1c\x85"], {"rows": 1}):
        assert json.loads(json.dumps(record)) == record
        file = io.BytesIO()
        writer = archive.Writer(file, Keyring([store.key]), "x", clock.now())
        writer.add(record)
        writer.close()
        assert list(archive.read(io.BytesIO(file.getvalue()), Keyring([store.key]))) == [record]
