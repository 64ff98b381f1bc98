"""Every transcript in tests/conversations, through every channel, on both databases.

As written on both; through Telegram or WhatsApp alone on one of them in turn. The phones of the
simulator are those of tests/test_rehearsal.py. With LINKLINE_CROSS, as in `make soak`, everything
runs through each channel on each database.

With each person's own channel all that is said is heard in the pseudo-language as well: whatever
reaches a phone comes from the catalogues or from people.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bot.i18n import languages
from bot.sentences import all_of
from tests import transcript
from tests.language.__main__ import ROOT
from tests.language.pseudo import overhearing
from tests.language.source import read_source

FOLDER = Path(__file__).parent / "conversations"
CROSS = bool(os.environ.get("LINKLINE_CROSS"))
CHANNELS = [None, "telegram", "whatsapp"]
CHANNELS += ["simulator/telegram", "simulator/whatsapp"] if CROSS else []


def _ways() -> Iterator[object]:
    """Each talk as written on both databases; through one channel alone, on one of them."""
    databases = ["sqlite", "postgresql"]
    for number, path in enumerate(sorted(FOLDER.glob("*.txt"))):
        talk = transcript.read(path)
        for at, channel in enumerate(CHANNELS):
            if channel and talk.own_only:  # what is said in it differs by channel
                continue
            if channel and channel.startswith("simulator") and talk.real_links:
                continue  # the simulator has no links
            for database in [databases[(number + at) % 2]] if channel and not CROSS else databases:
                name = f"{path.stem}-{channel or 'own'}-{database}"
                marks = [pytest.mark.repeats] if channel else []
                yield pytest.param(path, channel, database, id=name, marks=marks)


@pytest.mark.parametrize(
    ("path", "channel", "database_url"), list(_ways()), indirect=["database_url"]
)
def test_transcript(path: Path, channel: str | None, database_url: str) -> None:
    if channel:
        asyncio.run(transcript.play(path, database_url, channel))
        return
    with overhearing(sentences()) as overheard:
        asyncio.run(transcript.play(path, database_url))
    assert overheard.bubbles
    assert overheard.strays == set(), "said beside the catalogues"
    assert overheard.strangers == set(), "in no catalogue"
    known = _typed(transcript.read(path))
    if path.stem.startswith("wording"):  # which shows sentences as they are
        every = [each for code in languages() for each in all_of(code).values()]
        known += "\n".join(form for each in every for form in each.forms)
    assert overheard.strange_words(known) == set(), "filled into a sentence untranslated"


@cache
def sentences() -> frozenset[str]:
    return frozenset(read_source(ROOT).sentences)


def _typed(talk: transcript.Transcript) -> str:
    """What people themselves brought in: what they say, their names, their programme."""
    said = [line.words for line in talk.lines if line.sign != "<"]
    cast = [part.name for part in talk.cast]
    return "\n".join((*said, *cast, str(transcript.programme(talk))))
