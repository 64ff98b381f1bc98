"""`python -m tests.replay NAME ...`: play stored talks and write down anew what is heard in them.

What is said and done stays; read the diff before it is kept. A line that was not heard any more
becomes a comment that begins with "LOST".
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from alembic.config import Config

from alembic import command
from bot import clock, seals
from bot.rehearsal import transcripts
from tests import transcript
from tests.stage import Stage
from tests.transcript import _act, _happen, _stage, _with_codes

ROOT = Path(__file__).resolve().parents[1]
TALKS = Path(__file__).parent / "conversations"


def _new_store(folder: Path) -> str:
    url = f"sqlite:///{folder / 'talk.db'}"
    os.environ["DATABASE_URL"] = url
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "alembic"))
    command.upgrade(config, "head")
    return url


def _end_of(raw: list[str], start: int) -> int:
    """Where the block that begins there ends."""
    end = start + 1
    while end < len(raw) and (raw[end].startswith("| ") or raw[end].strip() == "|"):
        end += 1
    return end


def _unread(stage: Stage) -> list[str]:
    found = []
    for person in stage.people.values():
        found += [transcripts.spoken(person.name, "<", str(each)) for each in person.unread]
        person.unread.clear()
    return found


async def replay(path: Path, url: str) -> str:
    """The talk with what is heard now."""
    talk = transcript.read(path)
    stage = await _stage(talk, url, None)
    raw = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    lines = {each.number - 1: each for each in talk.lines}
    out: list[str] = []
    at = 0
    while at < len(raw):
        line, end = lines.get(at), _end_of(raw, at) if at in lines else at + 1
        if line is None:
            out.append(raw[at])
        elif line.sign == "<":
            heard = await stage.listen(line.who)
            lost = f"# LOST {line.who}: {line.words[:60]!r}"
            out.append(lost if heard is None else transcripts.spoken(line.who, "<", str(heard)))
        else:
            out += _unread(stage) if line.sign == ">" else []
            if line.sign == "-":
                await _happen(stage, line.words)
            else:
                await _act(stage, line.who, _with_codes(stage, line.words))
            out += raw[at:end]
        at = end
    for _second in range(8):
        clock.move(timedelta(seconds=1))
        await stage.deliver()
    out += _unread(stage)
    await stage.close()
    return "\n".join(out) + "\n"


def main(names: list[str]) -> None:
    for name in names:
        seals.use(seals.Keyring([seals.new_key()]))
        with tempfile.TemporaryDirectory() as folder:
            path = TALKS / f"{name}.txt"
            now = asyncio.run(replay(path, _new_store(Path(folder))))
        if now != path.read_text(encoding="utf-8"):
            path.write_text(now, encoding="utf-8")
            print(f"changed: {name}")


if __name__ == "__main__":
    main(sys.argv[1:])
