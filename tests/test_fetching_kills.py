"""Killed with -9 while a file is fetched, and started again: it is there once, whole, for good."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from bot import clock, models
from bot.media.shelves import Folder
from bot.media.vault import Vault
from bot.rehearsal import samples
from tests.media import files
from tests.processes import Nursery, Town, insist, telegram, town, until

POINTS = (
    "a file claimed, not committed",
    "a file claimed, not fetched",
    "a file fetched, not cleaned",
    "a file cleaned, not kept",
    "a file in the vault, not written down",
    "a file written down, not committed",
)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as found:
        yield found


def rows(place: Town) -> list[Any]:
    return place.store.run_now(lambda db: list(db.execute(select(models.media)).all()))


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_a_file_is_fetched(
    database_url: str, tmp_path: Path, nursery: Nursery, point: str
) -> None:
    with town(database_url, tmp_path, nursery) as place:
        dara = place.settle("Darazebra", "telegram", "en")
        voice = base64.b64encode(samples.read("voice")).decode()
        place.telegram.control(files={"AwACAgUAAx-voice": voice})
        gate = tmp_path / "gate"
        gate.touch()
        bot = place.linkline("run")
        bot.start((point, 1, str(gate)))
        bot.wait_ready()
        said = telegram(dara.phone.voice("AwACAgUAAx-voice"))
        insist([bot.url], said)
        bot.wait()
        bot.start()
        bot.wait_ready()
        insist([bot.url], said)  # Telegram says it twice
        until("the file", lambda: [each.state for each in rows(place)] == ["stored"], 30)
        bot.kill()
        [row] = rows(place)
        vault = Vault(Folder(place.media))
        assert list(vault.names()) == [row.name]
        assert abs(files.heard(vault.get_now(row.name)) - 3.0) < 0.06

        # and killed while it is removed
        gone = update(models.media).values(state="gone", due_at=clock.now(), attempts=0)
        place.store.run_now(lambda db: db.execute(gone))
        bot.start(("a file removed, its row still there", 1, str(gate)))
        bot.wait()
        assert not list(vault.names()) and len(rows(place)) == 1
        bot.start()
        until("the end of its row", lambda: not rows(place), 30)
        bot.kill()
