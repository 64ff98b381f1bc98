"""Rehearsals: stored talks played on the simulator's phones, and exported as tests that pass."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot import playing, rehearsal
from bot.app import App
from bot.channels import simulator
from bot.phones import Phones
from bot.playing import Step
from bot.rehearsal import Rehearsals
from bot.settings import Settings
from tests import transcript

NAMES = sorted(path.stem for path in rehearsal.TRANSCRIPTS.glob("*.txt"))


@pytest.fixture(autouse=True)
def phones(monkeypatch: pytest.MonkeyPatch) -> Phones:
    """Phones of this test alone, and people who look at them often."""
    found = Phones()
    monkeypatch.setattr(simulator, "phones", lambda: found)
    monkeypatch.setattr(playing, "phones", lambda: found)
    monkeypatch.setattr(rehearsal, "phones", lambda: found)
    monkeypatch.setattr(playing, "GLANCE", 0.05)
    return found


@pytest.fixture
def usual(sqlite_template: Path, tmp_path: Path) -> Settings:
    (tmp_path / "usual.db").write_bytes(sqlite_template.read_bytes())
    return Settings(_env_file=None, database_url=f"sqlite:///{tmp_path / 'usual.db'}")  # type: ignore[call-arg]


def live(usual: Settings, work: Callable[[App, Rehearsals], Awaitable[None]]) -> None:
    """A bot at work, with its rehearsals."""

    async def whole() -> None:
        app = App(usual)
        app.start_sending()
        try:
            await work(app, Rehearsals(app))
        finally:
            await app.stop()

    asyncio.run(whole())


async def play_to_the_end(rehearsals: Rehearsals) -> list[Step]:
    assert rehearsals.player is not None
    steps = []
    while (step := await rehearsals.player.step()).outcome != "over":
        steps.append(step)
    return steps


def stage_store(sqlite_template: Path, tmp_path: Path) -> str:
    (tmp_path / "stage.db").write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{tmp_path / 'stage.db'}"


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_talk_is_played_and_what_was_played_is_a_test(
    name: str, usual: Settings, sqlite_template: Path, tmp_path: Path, phones: Phones
) -> None:
    exported = tmp_path / "exported.txt"

    async def work(_app: App, rehearsals: Rehearsals) -> None:
        play = rehearsal.of_transcript(name)
        await rehearsals.begin(play)
        steps = await play_to_the_end(rehearsals)
        assert [each for each in steps if each.outcome not in ("done", "agrees")] == []
        marks = [each.mark for phone in phones.all.values() for each in phone.bubbles]
        assert "differs" not in marks
        exported.write_text(rehearsal.export(play), encoding="utf-8")

    live(usual, work)
    asyncio.run(transcript.play(exported, stage_store(sqlite_template, tmp_path)))
