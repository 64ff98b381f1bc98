"""A translator's spreadsheet comes back while the bot runs: next Monday is said in her words."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import openpyxl

from bot import clock
from bot.rehearsal import transcripts, weekly
from tests.child import PROJECT
from tests.stage import Stage

TALK = """
weekly weaving: the library
Dara [telegram, km] weaving
Bopha [whatsapp, km] weaving
"""
SECOND_WEEK = "question-i-carry"  # of the library's weekly questions
HERS = "សំណួរថ្មីរបស់អ្នកបកប្រែ៖ តើអ្នកចង់រៀនអ្វី?"


def linkline(database_url: str, key: str, *words: str) -> None:
    """The command line, in a process of its own."""
    env = os.environ | {"DATABASE_URL": database_url, "LINKLINE_KEYS": key}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "content", *words],
        cwd=PROJECT, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def translate(sheet: Path, old: str, new: str) -> None:
    book = openpyxl.load_workbook(sheet)
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value == old]
    assert len(cells) == 1
    cells[0].value = new
    book.save(sheet)


def words_of(slug: str) -> str:
    library = (PROJECT / "locales" / "library" / "prompts.yaml").read_text(encoding="utf-8")
    entry = library.partition(f"slug: {slug}\n")[2].partition("- slug:")[0]
    return entry.partition("km: >-\n")[2].strip()


def test_the_next_member_reads_it(database_url: str, tmp_path: Path) -> None:
    talk, sheet = transcripts.parse(TALK), tmp_path / "khmer.xlsx"

    async def weeks() -> None:
        stage = Stage(database_url)
        stage.load(transcripts.programme(talk))
        stage.app.database.run_now(lambda db: weekly.save(db, talk, clock.now()))
        dara, bopha = (stage.add(each.name, each.channel, each.language) for each in talk.cast)
        for each in (dara, bopha):
            stage.settle(each, "weaving", "member")
        await stage.later(timedelta(hours=1))
        await stage.later(timedelta(seconds=30))
        [key] = stage.settings.keys()
        assert any("សំណួរប្រចាំសប្តាហ៍" in each.text for each in dara.heard)
        old = words_of(SECOND_WEEK)
        await asyncio.to_thread(
            linkline, database_url, key, "export", "--language", "km", str(sheet)
        )
        translate(sheet, old, HERS)
        await asyncio.to_thread(linkline, database_url, key, "import", str(sheet))
        await stage.later(timedelta(days=7))
        await stage.say("Bopha", "សួស្តី")
        await stage.later(timedelta(seconds=30))
        for each in (dara, bopha):
            said = [bubble.text for bubble in each.heard]
            assert sum(HERS in text for text in said) == 1, said
            assert not any(old in text for text in said)
        assert not stage.complaints()
        await stage.close()

    asyncio.run(weeks())
