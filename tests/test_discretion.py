"""A discreet phone tells nothing: every talk there is, with all communities discreet.

Each person opens what waits before she acts. What came unasked must be the one neutral notice; what
stands last in her list of chats must tell nothing of what was said, by whom, or in which group.
`python -m tests.test_discretion --write` keeps in told.txt which talk passes what is told.
"""

from __future__ import annotations

import ast
import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from alembic import command
from bot import clock, seals
from bot.cli import alembic_config
from bot.discretion import WAITING
from bot.i18n import fold, languages, render
from bot.templates import NUDGE_TEXT
from bot.turn import Turn
from tests import transcript
from tests.conftest import compiled_once
from tests.stage import Heard, Person, Stage

ROOT = Path(__file__).resolve().parent
TALKS = sorted((ROOT / "conversations").glob("*.txt"))
LIST = ROOT / "told.txt"  # each place where somebody is told something, and a talk that passes it
REMEDY = "python -m tests.test_discretion --write"
DATABASES = ["sqlite", "postgresql"]
CROSS = bool(os.environ.get("LINKLINE_CROSS"))  # `make soak`
Place = tuple[str, str]  # (file, function)
# Ours, and the one that a provider has approved for a closed window: neither tells anything.
NOTICES = {
    render(words, code, lambda *_: "")
    for words in (WAITING.paragraphs[0], NUDGE_TEXT)
    for code in languages()
}


class Walk:
    """A play of what people do; nothing is expected but silence about what matters."""

    def __init__(self, stage: Stage, talk: transcript.Transcript) -> None:
        self.stage = stage
        self.places = [slug.title() for slug in talk.communities]
        self.said: list[str] = []  # what people wrote
        # Where they word the bot's own sentences, what they write is what it says from then on.
        self.rewords = any(line.words.casefold() == "wording" for line in talk.lines)
        self.unasked = 0
        self.shown = 0

    async def act(self, line: transcript.Line) -> None:
        person = self.stage.people[line.who]
        self._look_at_all()
        if self.stage.is_discreet(person):
            await self.stage.say(line.who, "open")
            await self._wait()
            self.shown += len(person.unread)
            self._put_down(person)
        try:
            await transcript._act(
                self.stage, line.who, transcript._with_codes(self.stage, line.words)
            )
        except (RuntimeError, ValueError):  # a StopIteration of the stage
            return  # what she would answer was never asked in this group
        written = " " in line.words and line.words[0] not in '[("{'
        if written and not self.rewords and not self._is_command(line.words):
            self.said.append(line.words.removeprefix("101 "))
        await self._wait()
        self._put_down(person)

    def _is_command(self, words: str) -> bool:
        """Words of the bot, which stand on its choices too: MY NAME and [Without my name]."""
        return fold(words) in self.stage.app.conversations.words

    async def _wait(self) -> None:
        for _second in range(5):
            clock.move(timedelta(seconds=1))
            await self.stage.deliver()

    def _look_at_all(self) -> None:
        """What came to phones whose owners did nothing."""
        for person in self.stage.people.values():
            for heard in person.unread:
                assert self.stage.is_discreet(person), person.name
                assert heard.text.split("\n")[0] in NOTICES, f"{person.name} reads {heard.text}"
                self.unasked += 1
            person.unread.clear()

    def _put_down(self, person: Person) -> None:
        """What stands in her list of chats now, and whether a group was named anywhere."""
        for heard in person.heard:
            assert not _any_in(self.places, heard), f"{person.name} reads a group: {heard}"
        person.unread.clear()
        if person.heard and self.stage.is_discreet(person):
            others = [name for name in self.stage.people if name != person.name]
            assert not _any_in([*self.said, *others], person.heard[-1]), (
                f"{person.name} shows {person.heard[-1]}"
            )


def _any_in(words: list[str], heard: Heard) -> list[str]:
    return [each for each in words if each in str(heard)]


async def walk(path: Path, database_url: str, channel: str | None) -> Walk:
    talk = transcript.read(path)
    for rules in talk.communities.values():
        rules.append("discreet")
    stage = await transcript._stage(talk, database_url, channel)
    found = Walk(stage, talk)
    try:
        for line in talk.lines:
            if line.sign == ">":
                await found.act(line)
            elif line.sign == "-":
                await transcript._happen(stage, line.words)
        found._look_at_all()
        assert not stage.complaints()
    finally:
        await stage.close()
    return found


def _ways(channels: list[str | None]) -> Iterator[object]:
    """Each talk and channel on one of the databases in turn; with LINKLINE_CROSS on both."""
    for number, path in enumerate(TALKS):
        for at, channel in enumerate(channels):
            if channel and transcript.read(path).own_only:  # what is said in it differs by channel
                continue
            for database in DATABASES if CROSS else [DATABASES[(number + at) % 2]]:
                name = f"{path.stem}-{channel or 'own'}-{database}"
                yield pytest.param(path, channel, database, id=name)


@pytest.mark.parametrize(
    ("path", "channel", "database_url"), list(_ways([None])), indirect=["database_url"]
)
def test_nobody_reads_anything_unasked(
    path: Path, channel: None, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = overhear(monkeypatch)
    found = asyncio.run(walk(path, database_url, channel))
    passed = {place for place, talk in listed().items() if talk == path.stem}
    assert passed <= told, f"no longer told here: remove the line in told.txt, then {REMEDY}"
    assert found.unasked + found.shown > 0 or not passed


@pytest.mark.repeats
@pytest.mark.parametrize(
    ("path", "channel", "database_url"),
    list(_ways(["telegram", "whatsapp"])),
    indirect=["database_url"],
)
def test_nor_on_one_app_alone(path: Path, channel: str, database_url: str) -> None:
    asyncio.run(walk(path, database_url, channel))


# Every kind of message there is ----------------------------------------------------------------


def _tells() -> Iterator[tuple[str, str]]:
    """(file, function) of each place in handlers/ that tells somebody something."""
    for path in sorted((ROOT.parent / "handlers").glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                calls = (each for each in ast.walk(function) if isinstance(each, ast.Call))
                if any(ast.unparse(each.func) == "turn.tell" for each in calls):
                    yield path.stem, function.name


def test_the_walk_passes_everything_that_is_told() -> None:
    """Each place with a talk that passes it: that talk's own test holds it to that."""
    assert set(listed()) == set(_tells()), f"new, or without a talk: {REMEDY}"
    assert set(listed().values()) <= {path.stem for path in TALKS}, REMEDY


def listed() -> dict[Place, str]:
    """The talk that passes a place where somebody is told something."""
    lines = (line.split() for line in LIST.read_text(encoding="utf-8").splitlines())
    return {(file, function): talk for file, function, talk in lines}


def overhear(monkeypatch: pytest.MonkeyPatch) -> set[Place]:
    """The places where something is told from now on."""
    told: set[Place] = set()
    tell = Turn.tell

    def watched(turn: Turn, *args: Any, **options: Any) -> int | None:
        caller = sys._getframe(1).f_code
        told.add((Path(caller.co_filename).stem, caller.co_name))
        return tell(turn, *args, **options)

    monkeypatch.setattr(Turn, "tell", watched)
    return told


def _write() -> None:
    """What stands there stays; for what is missing, walk through talks, the newest first."""
    seals.use(seals.Keyring([seals.new_key()]))
    places, stems = set(_tells()), {path.stem for path in TALKS}
    known = {each: talk for each, talk in listed().items() if each in places and talk in stems}
    for path in sorted(TALKS, key=lambda path: path.stat().st_mtime, reverse=True):
        if known.keys() == places:
            break
        told = _walk_alone(path)
        known |= {place: path.stem for place in told & places - known.keys()}
    lines = [" ".join((*place, talk)) for place, talk in sorted(known.items())]
    LIST.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"no talk passes {sorted(places - known.keys())}")


def _walk_alone(path: Path) -> set[Place]:
    """What is told in a talk; without pytest around it."""
    with pytest.MonkeyPatch.context() as monkeypatch, TemporaryDirectory() as folder:
        told = overhear(monkeypatch)
        url = f"sqlite:///{folder}/walk.db"
        command.upgrade(alembic_config(url), "head")
        try:
            asyncio.run(walk(path, url, None))
        finally:
            clock.reset()
    return told


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    with compiled_once():
        _write()
