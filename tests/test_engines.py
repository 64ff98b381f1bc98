"""Engines as a setting names them, and what of their words is believed."""

from __future__ import annotations

import asyncio
import os
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import SettingsError, read_settings
from bot.voice import engines, local
from bot.voice.engines import Engine, TryAgain, Unfit
from bot.voice.judging import judge
from bot.voice.local import Local
from tests.voicing import LEND

ALL = frozenset({"en", "lo", "km"})
LAO = "ພວກເຮົາຕ່ຳຫູກດ້ວຍໄມ້ໄຜ່ ແລະ ຂາຍຢູ່ຕະຫຼາດ"
KHMER = "យើងត្បាញដោយឫស្សី ហើយលក់នៅផ្សារ"


def test_nothing_is_set_up_by_itself() -> None:
    assert engines.parse("", ALL) == {}
    assert engines.parse("en=none, lo=none,km=none", ALL) == {}


def test_each_language_has_its_engine(tmp_path: Path) -> None:
    found = engines.parse(
        f"en=whisper:{tmp_path}, lo=https://ears.example/v1/#omni,km=http://127.0.0.1:8000/v1", ALL
    )
    assert found["en"] == Engine(folder=tmp_path)
    assert found["lo"] == Engine(address="https://ears.example/v1", model="omni")
    assert [found[code].service for code in ("en", "lo", "km")] == [None, "ears.example", None]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("en", "write language=engine"),
        ("th=https://ears.example/v1", "write language=engine"),
        ("en=none,en=none", "two engines"),
        ("en=whisper:models/base", "whole path"),
        ("en=whisper:/nowhere/at/all", "no model.bin"),
        ("en=http://ears.example/v1", "https://"),
        ("en=http://10.0.0.1/v1", "https://"),
        ("en=https://me:secret@ears.example/v1", "TRANSCRIBE_KEY"),
        ("en=ftp://ears.example", "none, whisper:"),
        ("en=https://ears.example/v1?key=secret", "none, whisper:"),
    ],
)
def test_a_wrong_one_stops_the_start(
    setting: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCRIBE", setting)
    with pytest.raises(SettingsError) as raised:
        read_settings()
    said = str(raised.value)
    assert said.startswith("TRANSCRIBE is not usable: ")
    assert says in said
    assert "\n" not in said
    assert "secret" not in said


# What is believed --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("We weave with bamboo, and sell at the market.", "en"),
        (LAO, "lo"),
        (KHMER, "km"),
        (f"{LAO} (Excel, Facebook)", "lo"),
        ("No, no, no! Not that way.", "en"),
        ("Thank you for the answer about the loom.", "en"),
    ],
)
def test_what_people_say_is_believed(said: str, language: str) -> None:
    assert judge(said, language, 20_000) == (said, None)


@pytest.mark.parametrize(
    ("said", "language", "doubt"),
    [
        ("", "en", "silence"),
        ("...", "lo", "silence"),
        ("♪ la la ♪", "en", "silence"),
        ("[BLANK_AUDIO]", "en", "silence"),
        ("(applause)", "en", "silence"),
        ("Thanks for watching!", "en", "silence"),
        ("ຂອບໃຈ", "lo", "silence"),
        ("We weave with bamboo.", "lo", "script"),
        ("We weave with bamboo.", "km", "script"),
        (KHMER, "lo", "script"),
        ("ขอบคุณที่รับชม", "lo", "script"),
        ("the loom " * 30, "en", "loop"),
        (LAO * 8, "lo", "loop"),
        ("ក" * 40, "km", "loop"),
        (" ".join(f"word{n}" for n in range(200)), "en", "invented"),
    ],
)
def test_what_is_not_believed_is_left_out(said: str, language: str, doubt: str) -> None:
    assert judge(said, language, 10_000) == (None, doubt)


@given(st.text(max_size=300), st.sampled_from(["en", "lo", "km"]))
def test_judging_never_adds_anything(said: str, language: str) -> None:
    text, doubt = judge(said, language, None)
    assert (text is None) is (doubt is not None)
    assert text is None or set(text) <= {*unicodedata.normalize("NFC", said), " ", "\n"}


# A process of its own ----------------------------------------------------------------------------


def pretend(folder: Path, body: str) -> Local:
    """An engine whose process does this instead: what a broken model folder may do."""
    program = folder / "python"
    program.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{body}\n")
    program.chmod(0o755)
    return Local(Engine(folder=folder), seconds=2, python=str(program))


def hear(engine: Local) -> str:
    return asyncio.run(engine.hear(LEND, "en"))


def test_the_process_gets_the_voice_and_none_of_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINKLINE_KEYS", "a secret")
    monkeypatch.setenv("TRANSCRIBE_KEY", "a secret")
    told = 'print(json.dumps({"text": f"{len(sys.stdin.buffer.read())} {dict(os.environ)}"}))'
    said = hear(pretend(tmp_path, told))
    assert said.startswith(f"{len(LEND)} ")
    assert "a secret" not in said
    assert "'HF_HUB_OFFLINE': '1'" in said


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("time.sleep(60)", TryAgain),
        ("os.kill(os.getpid(), 9)", TryAgain),
        ("print('no json')", TryAgain),
        ("""print('{"error": "no_model"}')""", TryAgain),
        ("""print('{"unfit": "unheard"}')""", Unfit),
        ("""print('{"unfit": "what was said"}')""", Unfit),
        ("""print('{"text": 5}')""", TryAgain),
        ("""print('[]')""", TryAgain),
    ],
)
def test_a_process_that_breaks(body: str, error: Any, tmp_path: Path) -> None:
    with pytest.raises(error) as told:
        hear(pretend(tmp_path, body))
    assert told.value.why in ("slow", "engine_died", "no_model", "unheard")  # it goes to the log


def test_a_process_that_is_not_waited_for_ends(tmp_path: Path) -> None:
    """Cancelled in the middle, as when the worker stops."""
    mark = tmp_path / "pid"
    engine = pretend(tmp_path, f"open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)")

    async def run() -> None:
        task = asyncio.create_task(engine.hear(LEND, "en"))
        while not (mark.exists() and mark.read_text()):
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_its_time_is_longer_than_any_voice() -> None:
    assert local.SECONDS >= 5 * 60
