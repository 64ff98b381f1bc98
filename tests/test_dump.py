"""A copy of the store without its keys: no way from a number to a member, nor by the lengths.

Who has the file, or the rows, and all our code, but not LINKLINE_KEYS.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import LargeBinary, select, text, type_coerce

from bot import models, seals
from bot.columns import Sealed, metadata
from bot.db import Database
from bot.seals import Keyring, SealError, new_key
from bot.store import meeting
from bot.store.secrets import open_store
from tests import transcript
from tests.test_privacy import (
    ANSWER,
    DRAFT,
    ORGANISATION,
    QUESTION,
    MarkedStage,
    found_in,
    in_store,
    say,
)

SHORT = "Where do I buy thread?"
LONG = "ຢູ່ບ້ານຂອງພວກເຮົາແມ່ຍິງຫຼາຍຄົນຢາກຕ່ຳຫູກ ແຕ່ບໍ່ມີເງິນຊື້ໄໝ. " * 4  # some 700 bytes
PEOPLE = (
    ("Noyphanith71", "whatsapp", "lo"),
    ("Darasovann72", "telegram", "km"),
    ("Alexandria73", "telegram", "en"),
    ("Sopheanary78", "whatsapp", "km"),
)


@pytest.fixture
def dumped(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, set[str]]]:
    """A store in which real turns were taken, and what must not be found in it."""
    monkeypatch.setenv("LINKLINE_KEYS", new_key())
    yield database_url, asyncio.run(_act(database_url))


async def _act(url: str) -> set[str]:
    stage = MarkedStage(url)
    stage.load(transcript.programme(transcript.Transcript([], {"crafts": []}, [])))
    for name, channel, language in PEOPLE:
        person = stage.add(name, channel, language)
        stage.settle(person, "crafts", "facilitator" if name.startswith("Alex") else "member")
    for name, question in (
        ("Noyphanith71", QUESTION),
        ("Sopheanary78", SHORT),
        ("Darasovann72", LONG.strip()),
    ):
        await say(stage, name, question)
        await stage.choose(name, _send(stage, name))
    await stage.reply("Darasovann72", QUESTION[:20], ANSWER)
    await say(stage, "Alexandria73", "ask")
    await say(stage, "Alexandria73", DRAFT)
    newcomer = stage.add("Maivongsa74", "whatsapp", "lo")
    code = stage.code("crafts")
    for words in (code, "3", "1", newcomer.name, ORGANISATION):
        await say(stage, newcomer.name, words)
    marks = stage.marks() | {QUESTION, SHORT, LONG.strip(), ANSWER, DRAFT, ORGANISATION, code}
    await stage.close()
    return marks


def _send(stage: MarkedStage, name: str) -> str:
    """[Send] in her language: the first choice under the preview."""
    bubble = next(each for each in reversed(stage.people[name].heard) if "[" in str(each))
    return str(bubble).rpartition("\n")[2].partition("[")[2].partition("]")[0]


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """The tables as they stand in the dump: nothing is opened."""
    database = Database(url)

    def read(db: Any) -> dict[str, list[dict[str, Any]]]:
        found = {}
        for table in metadata.sorted_tables:
            raw = [
                type_coerce(each, LargeBinary).label(each.name)
                if isinstance(each.type, Sealed)
                else each
                for each in table.columns
            ]
            found[table.name] = [dict(row._mapping) for row in db.execute(select(*raw))]
        return found

    found = database.run_now(read)
    database.close()
    return found


def test_nobody_and_nothing_said_is_in_it(dumped: tuple[str, set[str]]) -> None:
    url, marks = dumped
    assert not found_in(in_store(url), marks)


def test_a_number_is_not_found_by_trying(dumped: tuple[str, set[str]]) -> None:
    """Who knows all numbers of the country and the lanes makes no key of address_keys from them."""
    url, marks = dumped
    tables = rows(url)
    keys = {bytes(row["key"]) for row in tables["address_keys"]}
    lanes = {row["lane"] for row in tables["addresses"]}
    names = {mark for mark in marks if mark.strip("+").isdigit()}
    names |= {f"whatsapp:{name}" for name in names}
    stored = [value for each in tables.values() for row in each for value in row.values()]
    there = {bytes(value) for value in stored if isinstance(value, bytes)}
    tried = 0
    for name in names:
        for lane in lanes:
            for secret in (b"", b"\0" * 32, *there):
                for words in (name, f"{lane}\0{name}", f"address_keys.key\0{lane}\0{name}"):
                    tried += 1
                    guess = hmac.digest(secret, words.encode(), hashlib.sha256)[:16]
                    assert guess not in keys
                    assert hashlib.sha256(words.encode()).digest()[:16] not in keys
    assert tried > 1000
    assert _made_with_the_key(url, names, lanes) == keys  # and with the key all of them are made


def _made_with_the_key(url: str, names: set[str], lanes: set[str]) -> set[bytes]:
    database = Database(url)
    database.run_now(open_store)
    database.close()
    found = {meeting.key_of(lane, name) for name in names for lane in lanes}
    keys = {bytes(row["key"]) for row in rows(url)["address_keys"]}
    return found & keys


def test_nothing_opens_with_another_key(dumped: tuple[str, set[str]]) -> None:
    url, _marks = dumped
    stranger = Keyring([new_key()])
    opened = 0
    for name, each in rows(url).items():
        for row in each:
            for column, value in row.items():
                if isinstance(metadata.tables[name].columns[column].type, Sealed) and value:
                    with pytest.raises(SealError):
                        stranger.open(bytes(value), f"{name}.{column}")
                    opened += 1
    assert opened > 50


def test_lengths_do_not_tell_which_words_are_whose(dumped: tuple[str, set[str]]) -> None:
    """One length for all words of one kind, from four words to some seven hundred bytes."""
    url, _marks = dumped
    lengths: dict[str, set[int]] = defaultdict(set)
    for name, each in rows(url).items():
        for row in each:
            for column, value in row.items():
                if isinstance(metadata.tables[name].columns[column].type, Sealed) and value:
                    lengths[f"{name}.{column}"].add(len(value))
    of_words = ["bubbles.text", "inbox.payload", "conversations.state"]
    of_people = ["members.name", "addresses.sealed", "address_keys.name", "dispatches.provider_id"]
    for column in of_words + of_people:
        assert len(lengths[column]) == 1, (column, lengths[column])
    more = {column: found for column, found in lengths.items() if len(found) > 1}
    # A message holds sentences of ours and points at posts: long ones have many choices.
    assert more.keys() <= {"messages.body", "dispatches.content", "secrets.value"}, more


def test_a_thread_and_an_inbox_row_share_no_value(dumped: tuple[str, set[str]]) -> None:
    """What is the same in both is sealed differently: no join finds whose words a post holds."""
    url, _marks = dumped
    tables = rows(url)
    seen: dict[bytes, str] = {}
    for name, each in tables.items():
        for row in each:
            for column, value in row.items():
                if isinstance(value, bytes):
                    place = f"{name}.{column}"
                    assert seen.setdefault(bytes(value), place) == place
    assert len(seen) > 100


def test_the_lookup_keys_are_not_in_it(dumped: tuple[str, set[str]]) -> None:
    url, _marks = dumped
    database = Database(url)
    database.run_now(open_store)
    plain = [row.value for row in database.run_now(lambda db: db.execute(_SECRETS).all())]
    database.close()
    assert len(plain) == 3
    assert not found_in(in_store(url), {each for each in plain if len(each) == 44})
    assert seals.keyring().lookups_age() < 60
    raw = Database(url)
    names = raw.run_now(lambda db: list(db.execute(text("SELECT name FROM secrets")).scalars()))
    raw.close()
    assert sorted(names) == ["events", "lookup", "sealing"]


_SECRETS = select(models.secrets)
