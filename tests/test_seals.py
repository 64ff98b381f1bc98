"""Seals: what is sealed opens only in its place and with its keys; lookups outlive the keys."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from bot import clock, seals
from bot.columns import Sealed, metadata
from bot.db import Database
from bot.models.people import members, secrets
from bot.seals import Keyring, Lookups, SealError, new_key
from bot.settings import ROOT
from bot.store import meeting
from bot.store.secrets import open_store
from tests.child import PATIENCE

OLD, NEW, FOREIGN, EVENTS = new_key(), new_key(), new_key(), new_key()
RING = Keyring([OLD])
WORDS = st.text(st.characters(exclude_categories=["Cs"]))


@given(WORDS, WORDS)
def test_round_trip(plain: str, context: str) -> None:
    assert RING.open(RING.seal(plain, context), context) == plain


@given(WORDS, WORDS, WORDS)
def test_wrong_context(plain: str, context: str, other: str) -> None:
    assume(context != other)
    with pytest.raises(SealError):
        RING.open(RING.seal(plain, context), other)


@given(WORDS, st.data())
def test_damage(plain: str, data: st.DataObject) -> None:
    sealed = bytearray(RING.seal(plain, "t.c"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealError):
        RING.open(bytes(sealed), "t.c")


SEALED = RING.seal("ສະບາຍດີ", "t.c")


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_cut_short(length: int) -> None:
    with pytest.raises(SealError):
        RING.open(SEALED[:length], "t.c")


def test_longer() -> None:
    with pytest.raises(SealError):
        RING.open(SEALED + b"\0", "t.c")


def test_unknown_key() -> None:
    with pytest.raises(SealError, match="LINKLINE_KEYS"):
        Keyring([FOREIGN]).open(SEALED, "t.c")


def test_errors_do_not_quote() -> None:
    for ring, context in ((Keyring([FOREIGN]), "t.c"), (RING, "t.d")):
        with pytest.raises(SealError) as caught:
            ring.open(RING.seal("+8562055123456", "t.c"), context)
        assert "+856" not in str(caught.value)


def test_the_same_words_never_look_the_same() -> None:
    assert len({RING.seal("x", "t.c") for _ in range(100)}) == 100


def test_rotation() -> None:
    """The new key comes first: it seals, and the old one still opens."""
    both = Keyring([NEW, OLD])
    assert both.open(SEALED, "t.c") == "ສະບາຍດີ"
    assert Keyring([NEW]).open(both.seal("x", "t.c"), "t.c") == "x"
    with pytest.raises(SealError):
        RING.open(both.seal("x", "t.c"), "t.c")


@pytest.mark.parametrize("keys", [[], [""], ["abc"], [OLD, OLD[:-4]], ["ກ" * 44]])
def test_no_key(keys: list[str]) -> None:
    with pytest.raises(ValueError):
        Keyring(keys)


@pytest.mark.parametrize(
    "key",
    [OLD + NEW, f"{OLD[:20]}!{OLD[20:]}", f"{OLD} {NEW}"],
    ids=["no comma", "a stray sign", "a blank"],
)
def test_no_key_but_something_like_it(key: str) -> None:
    with pytest.raises(ValueError):
        Keyring([key])


def test_new_keys_differ() -> None:
    made = {new_key() for _ in range(100)}
    assert len(made) == 100
    assert {len(base64.urlsafe_b64decode(key)) for key in made} == {32}


# Lookups


def opened(*keys: str, lookup: str) -> Keyring:
    ring = Keyring(keys)
    ring.use_lookups(Lookups(events=EVENTS, write=lookup))
    return ring


def test_no_lookup_before_the_store_is_open() -> None:
    with pytest.raises(SealError, match="not open"):
        Keyring([OLD]).lookup("x", "t.c")


@given(WORDS, WORDS)
def test_lookup_depends_on_its_own_key_only(plain: str, context: str) -> None:
    assume(context not in seals._EVENTS)  # these have a key of their own
    before = opened(OLD, lookup=FOREIGN).lookup(plain, context)
    assert before == opened(NEW, OLD, lookup=FOREIGN).lookup(plain, context)
    assert before != opened(OLD, lookup=NEW).lookup(plain, context)
    assert len(before) == 16


def test_lookup_tells_values_and_places_apart() -> None:
    ring = opened(OLD, lookup=FOREIGN)
    values = {ring.lookup(plain, place) for plain in ("1", "2", "12") for place in ("a", "b")}
    assert len(values) == 6


# The store's own lookup key


def open_with(database_url: str, *keys: str) -> Database:
    seals.use(Keyring(keys))
    database = Database(database_url)
    database.run_now(open_store)
    return database


def number_of(database_url: str, *keys: str) -> bytes:
    """What a number looks like to a process with these keys."""
    open_with(database_url, *keys).close()
    return meeting.key_of("lane", "+8562055123456")


def test_lookups_outlive_rotation(database_url: str) -> None:
    first = number_of(database_url, OLD)
    assert number_of(database_url, OLD) == first
    assert number_of(database_url, NEW, OLD) == first


def test_a_member_is_found_and_read_after_rotation(database_url: str) -> None:
    database = open_with(database_url, OLD)
    now = clock.now()
    ready = database.run_now(
        lambda db: meeting.add_ready(db, "lane", "+8562055123456", now, name="ນາງ ນ້ອຍ")
    )
    database.close()
    database = open_with(database_url, NEW, OLD)
    sender, new = database.run_now(
        lambda db: meeting.meet(db, "lane", ["+8562055123456"], clock.now())
    )
    database.close()
    assert (sender.member.id, sender.member.name, new) == (ready[0], "ນາງ ນ້ອຍ", False)


def test_stores_have_lookups_of_their_own(database_url: str, sqlite_template: Path) -> None:
    other = sqlite_template.with_name("other.db")
    other.write_bytes(sqlite_template.read_bytes())
    assert number_of(database_url, OLD) != number_of(f"sqlite:///{other}", OLD)


def test_foreign_keys_do_not_open_a_store(database_url: str) -> None:
    first = number_of(database_url, OLD)
    with pytest.raises(SealError, match="not in LINKLINE_KEYS") as caught:
        open_with(database_url, FOREIGN)
    assert "\n" not in str(caught.value)
    assert number_of(database_url, OLD) == first  # and they have changed nothing


def test_a_moved_lookup_key_does_not_open(database_url: str) -> None:
    """A value from another column does not pass as the store's key."""
    database = open_with(database_url, OLD)

    def move(db: Any) -> None:
        db.execute(insert(members).values(state="new", name=new_key(), created_at=clock.now()))
        db.execute(text("UPDATE secrets SET value = (SELECT name FROM members)"))

    database.run_now(move)
    with pytest.raises(SealError, match="out of place"):
        database.run_now(open_store)
    database.close()


_OPEN = """
import sys
from bot import seals
from bot.columns import Sealed, metadata
from bot.db import Database
from bot.store.secrets import open_store
seals.use(seals.Keyring([sys.argv[2]]))
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
database.run_now(open_store)
print(seals.keyring().lookup("x", "t.c").hex() + seals.keyring().lookup("x", "inbox.key").hex())
"""


def test_two_processes_open_a_new_store_at_once(database_url: str) -> None:
    command = [sys.executable, "-c", _OPEN, database_url, OLD]
    both = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for _ in range(2)
    ]
    for each in both:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in both:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    one, other = (each.communicate(timeout=PATIENCE)[0].strip() for each in both)
    assert len(one) == 64
    assert one == other


def test_the_secrets_are_sealed(database_url: str) -> None:
    database = open_with(database_url, OLD)
    plain = database.run_now(lambda db: list(db.execute(select(secrets.c.value)).scalars()))
    raw = database.run_now(lambda db: list(db.execute(text("SELECT value FROM secrets")).scalars()))
    database.close()
    found = {key for each in plain for key in re.findall(r"[\w-]{43}=", each)}
    assert len(found) == 2
    for key in found:
        for form in (key.encode(), base64.urlsafe_b64decode(key)):
            assert not any(form in bytes(each) for each in raw)


def test_a_store_from_before_knows_again_what_it_has_taken(database_url: str) -> None:
    """It had one key for all lookups; the one for what happened goes on with it."""
    seals.use(Keyring([OLD]))
    database, old = Database(database_url), new_key()
    database.run_now(lambda db: db.execute(insert(secrets).values(name="lookup", value=old)))
    for _ in range(2):
        database.run_now(open_store)
    database.close()
    before = Keyring([OLD])
    before.use_lookups(Lookups(events=old, write=old))
    for context in ("inbox.key", "messages.key", "address_keys.key"):
        assert seals.keyring().lookup("x", context) == before.lookup("x", context)


def test_a_new_store_has_two_lookup_keys(database_url: str) -> None:
    database = open_with(database_url, OLD)
    rows = database.run_now(lambda db: {row.name: row.value for row in db.execute(select(secrets))})
    database.close()
    assert rows["events"] not in rows["lookup"]


def test_what_was_read_before_does_not_replace_what_was_read_after() -> None:
    """Two threads read the secrets; the slower one has seen the older ones."""
    ring = opened(OLD, lookup=FOREIGN)
    ring.use_lookups(Lookups(EVENTS, NEW), read_at=seals.seconds() - 1)
    assert ring.lookup("x", "t.c") == opened(OLD, lookup=FOREIGN).lookup("x", "t.c")


def test_while_keys_rotate_all_of_them_find() -> None:
    ring = opened(OLD, lookup=OLD)
    was, of_events = ring.lookup("x", "t.c"), ring.lookup("x", "inbox.key")
    ring.use_lookups(Lookups(EVENTS, write=OLD, next=NEW))
    next_one, still = ring.lookups("x", "t.c")
    assert ring.lookup("x", "t.c") == still == was
    ring.use_lookups(Lookups(EVENTS, write=NEW, old=(OLD, FOREIGN)))
    assert ring.lookup("x", "t.c") == next_one
    assert ring.lookups("x", "t.c")[:2] == [next_one, was]
    assert ring.lookups("x", "inbox.key") == [of_events]


# Lengths


def sealed_columns() -> dict[str, Sealed]:
    columns = (column for table in metadata.sorted_tables for column in table.columns)
    return {str(each): each.type for each in columns if isinstance(each.type, Sealed)}


# Their values were moved from where they were sealed.
MOVED = {"media.reference": "bubbles.reference"}


def test_every_sealed_column_says_its_own_name() -> None:
    contexts = {name: kind.context for name, kind in sealed_columns().items()}
    assert contexts == {name: MOVED.get(name, name) for name in sealed_columns()}
    assert len(set(contexts.values())) == len(contexts)
    assert seals._FLOORS.keys() <= set(contexts.values())
    tables = metadata.tables.keys()
    assert {name.partition(".")[0] for name in seals._EVENTS} <= tables


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=3000), st.data())
def test_a_length_is_one_of_a_few(plain: str, data: st.DataObject) -> None:
    context = data.draw(st.sampled_from([*seals._FLOORS, *sealed_columns(), "t.c"]))
    sealed = RING.seal(plain, context)
    floor, size = seals._FLOORS.get(context, 64), len(sealed) - seals._SHORTEST
    assert size in {floor * 2**times for times in range(12)}
    assert size > len(plain.encode())
    assert size == floor or size <= 2 * len(plain.encode())
    assert RING.open(sealed, context) == plain


@pytest.mark.parametrize(
    "plain", ["", "\0", "\0\0", "a\0", "\x80", "x" * 63, "x" * 64, "\x80\0" * 40]
)
def test_what_looks_like_padding_stays(plain: str) -> None:
    assert RING.open(RING.seal(plain, "t.c"), "t.c") == plain


def test_half_a_letter_is_no_reason_to_fail() -> None:
    assert RING.open(RING.seal("a\ud83d", "t.c"), "t.c") == "a?"


def sealed_before(plain: str, context: str, key: str = OLD) -> bytes:
    """As Linkline sealed until it padded: version 1."""
    raw, nonce = base64.urlsafe_b64decode(key), os.urandom(12)
    key_id = hashlib.sha256(b"linkline key id" + raw).digest()[:4]
    return b"\x01" + key_id + nonce + AESGCM(raw).encrypt(nonce, plain.encode(), context.encode())


@given(WORDS)
def test_values_from_before_padding_open(plain: str) -> None:
    assert RING.open(sealed_before(plain, "t.c"), "t.c") == plain


def test_a_version_cannot_be_exchanged() -> None:
    for sealed in (RING.seal("x", "t.c"), sealed_before("x", "t.c")):
        for version in range(256):
            if version != sealed[0]:
                with pytest.raises(SealError):
                    RING.open(bytes([version]) + sealed[1:], "t.c")
