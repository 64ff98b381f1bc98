"""Read a transcript and play it.

    Noy [whatsapp, lo] crafts              a member of the community crafts, on WhatsApp, in Lao
    Alex [telegram, en] crafts facilitator
    Somebody [telegram, en]                a stranger
    community crafts: approval, discreet   (a line for each community that is not plain)
    on their own channels only             (what is said differs by channel)

    Noy > words              says           Noy < words         hears, in full
    Noy > [Send]             chooses                            | another line of the same bubble
    Noy > {crafts}           an invite code in place of the braces; {crafts facilitator}
    Noy > "old words" <- new words          replies to the bubble that holds the old words
    Noy > (voice)            sends a voice note, photo or sticker
    Noy > (edits "old") new  (forwards) words  (blocks)  (unblocks)      on Telegram
    -- the bot restarts --   -- 2 days later --   # a comment

A bubble that nobody heard fails the test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot import clock
from tests.stage import Stage

_CAST = re.compile(r"(\w+) \[([\w/]+), (\w+)\](.*)")
_LINE = re.compile(r"(\w+) ([<>]) (.*)")
_LATER = re.compile(r"-- (\d+) (second|minute|hour|day|week)s? later --")
_EDIT = re.compile(r'\(edits "(.+?)"\) (.*)', re.S)
_REPLY = re.compile(r'"(.+?)" <- (.*)', re.S)


@dataclass
class Line:
    number: int
    who: str
    sign: str  # < or >, or - for what happens to all
    words: str


@dataclass
class Transcript:
    cast: list[tuple[str, str, str, list[str]]]  # name, channel, language, community and role
    communities: dict[str, list[str]]
    lines: list[Line]
    own_only: bool = False


def read(path: Path) -> Transcript:
    found = Transcript([], {}, [])
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        _read_line(found, number, line, path)
    for _name, _channel, _language, place in found.cast:
        if place:
            found.communities.setdefault(place[0], [])
    return found


def _read_line(found: Transcript, number: int, line: str, path: Path) -> None:
    if line == "on their own channels only":
        found.own_only = True
    elif line.startswith("| ") or line == "|":
        found.lines[-1].words += "\n" + line[2:]
    elif line.startswith("community "):
        slug, _colon, rules = line.removeprefix("community ").partition(":")
        found.communities[slug.strip()] = [each.strip() for each in rules.split(",")]
    elif cast := _CAST.fullmatch(line):
        found.cast.append((cast[1], cast[2], cast[3], cast[4].split()))
    elif spoken := _LINE.fullmatch(line):
        found.lines.append(Line(number, spoken[1], spoken[2], spoken[3]))
    elif line.startswith("--"):
        found.lines.append(Line(number, "", "-", line))
    else:
        raise ValueError(f"{path.name}:{number} is no line of a transcript: {line}")


def programme(transcript: Transcript) -> dict[str, Any]:
    rows = [
        {
            "slug": slug,
            "names": {"en": slug.title(), "lo": slug.title(), "km": slug.title()},
            "language": "lo",
            "timezone": "Asia/Vientiane",
            "approval": "approval" in rules,
            "discreet": "discreet" in rules,
        }
        for slug, rules in transcript.communities.items()
    ]
    about = {
        "slug": "test",
        "names": {"en": "T", "lo": "T", "km": "T"},
        "contact": "help@example.org",
    }
    return {"programme": about, "communities": rows}


async def play(path: Path, database_url: str, channel: str | None = None) -> Stage:
    """Play it with each person's own channel, or with everybody on one."""
    transcript = read(path)
    stage = await _stage(transcript, database_url, channel)
    try:
        for line in transcript.lines:
            await _play(stage, line, path)
        left = {
            each.name: [str(b) for b in each.unread]
            for each in stage.people.values()
            if each.unread
        }
        assert not left, f"{path.name}: nobody wrote down that they heard {left}"
        assert not stage.complaints(), stage.complaints()
    finally:
        await stage.close()
    return stage


async def _stage(transcript: Transcript, database_url: str, channel: str | None) -> Stage:
    stage = Stage(database_url)
    stage.load(programme(transcript))
    for name, own, language, place in transcript.cast:
        person = stage.add(name, channel or own, language)
        if place:
            stage.settle(person, *place)
    return stage


async def _play(stage: Stage, line: Line, path: Path) -> None:
    if line.sign == "-":
        await _happen(stage, line.words)
    elif line.sign == ">":
        await _act(stage, line.who, _with_codes(stage, line.words))
    else:
        heard = await stage.listen(line.who)
        got = None if heard is None else str(heard)
        assert got == line.words, (
            f"{path.name}:{line.number} {line.who} should hear\n{line.words}\n--- but heard\n{got}"
        )


async def record(path: Path, database_url: str) -> str:
    """Play only what people say, and write down all that is heard: a draft to read and judge."""
    transcript = read(path)
    stage = await _stage(transcript, database_url, None)
    said = []
    for line in transcript.lines:
        if line.sign == "<":
            continue
        said.append(f"{line.who} > {line.words}" if line.sign == ">" else line.words)
        if line.sign == ">":
            await _act(stage, line.who, _with_codes(stage, line.words))
        else:
            await _happen(stage, line.words)
        for _second in range(8):
            clock.move(timedelta(seconds=1))
            await stage.deliver()
        for person in stage.people.values():
            said += [_as_lines(f"{person.name} < {bubble}") for bubble in person.unread]
            person.unread.clear()
    await stage.close()
    return "\n".join(said)


def _as_lines(heard: str) -> str:
    first, *rest = heard.split("\n")
    return "\n".join([first, *(f"| {line}" if line else "|" for line in rest)])


async def _happen(stage: Stage, words: str) -> None:
    if words == "-- the bot restarts --":
        return await stage.restart()
    found = _LATER.fullmatch(words)
    assert found, words
    await stage.later(timedelta(**{f"{found[2]}s": int(found[1])}))


async def _act(stage: Stage, who: str, words: str) -> None:
    if found := _REPLY.fullmatch(words):
        await stage.reply(who, found[1], found[2])
    elif re.fullmatch(r"\[[^]]+\]", words):
        await stage.choose(who, words[1:-1])
    elif found := _EDIT.fullmatch(words):
        await stage.edit(who, found[1], found[2])
    elif words.startswith("(forwards) "):
        await stage.forward(who, words.removeprefix("(forwards) "))
    elif words in ("(blocks)", "(unblocks)"):
        await stage.membership(who, words[1:-2])
    elif words in ("(voice)", "(photo)", "(sticker)"):
        await stage.send_file(who, words[1:-1])
    else:
        await stage.say(who, words)


def _with_codes(stage: Stage, words: str) -> str:
    def code(found: re.Match[str]) -> str:
        return stage.code(*found[1].split())

    return re.sub(r"\{([\w ]+)\}", code, words)
