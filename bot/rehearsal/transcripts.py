"""Transcripts: talks written as text. The tests play them, the simulator plays and exports them.

# The first comment is the title.
Noy [whatsapp, lo] crafts              a member of the community crafts, on WhatsApp, in Lao
Alex [telegram, en] crafts weaving facilitator
Somebody new [telegram, en]            a stranger
community crafts: approval, discreet   (a line for each community that is not plain)
weekly crafts: What did you try?       (its question, on Mondays at eleven; Fridays what peers said)
weekly crafts: the library             (instead: the tips and questions that come with Linkline)
session crafts: Excel; in 3 days; 2 seats; held by Noy; at the office      (is planned already)
programme demo-programme               (instead: the communities of a file in docs/)
on their own channels only             (what is said differs by channel)
with links of the real apps            (which the simulator has not)
with approved templates                (what passes a closed window)

Noy > words              says           Noy < words         hears, in full
Noy > [Send]             chooses                            | another line of the same bubble
Noy > {crafts}           an invite code in place of the braces; {crafts facilitator}
Noy > "old words" <- new words          replies to the bubble that holds the old words
Noy > "old words" <- [Send]  <- (voice) chooses there; sends a file as the reply
Noy > (voice)            sends a sample: voice, photo, sticker
Noy > (video)            document, location: simulator only
Noy > (edits "old") new  (forwards) words  (blocks)  (unblocks)      on Telegram
Noy > (provider: window) her provider fails from now on; works again; simulator only
Noy > \\[Send]            says just that
-- the bot restarts --   -- 2 days later --   # a comment
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.roles import ROLES
from bot.settings import ROOT

FILES = ("voice", "photo", "video", "document", "sticker", "location")
OWN_CHANNELS = "on their own channels only"
REAL_LINKS = "with links of the real apps"
TEMPLATES = "with approved templates"
BEGINS = datetime(2027, 1, 4, 3, 0, tzinfo=UTC)  # a Monday, ten o'clock in Vientiane
LIBRARY = "the library"
RESTART = "-- the bot restarts --"
DRAWN = "Lotus 12"  # the name that is suggested in a discreet community; elsewhere drawn by lot
RECEIPTS = "REPRT-2222"  # and a number from 2 on: the codes of reports, elsewhere drawn by lot

_NAME = r'[^\s\[\]<>|#"](?:[^\[\]<>|#"\n]*[^\s\[\]<>|#"])?'
_CAST = re.compile(rf"({_NAME}) \[([\w/]+), (\w+)\](.*)")
_LINE = re.compile(rf"({_NAME}) ([<>]) (.*)")
_LATER = re.compile(r"-- (\d+) (second|minute|hour|day|week)s? later --")
_CODE = re.compile(r"\{([\w -]+)\}")
_DRAWN = re.compile(r"\[([A-Z][a-z]+ [1-9]\d)\]")
_RECEIPT = re.compile(r"\b[A-Z2-9]{5}-[A-Z2-9]{5}\b")
_CHOICE = re.compile(r"\[([^]]+)\]")
_DEEDS = (
    ("reply", re.compile(r'"(?P<about>.+?)" <- (?P<words>.*)', re.S)),
    ("choose", re.compile(r"\[(?P<words>[^]]+)\]")),
    ("edit", re.compile(r'\(edits "(?P<about>.+?)"\) (?P<words>.*)', re.S)),
    ("forward", re.compile(r"\(forwards\) (?P<words>.*)", re.S)),
    ("membership", re.compile(r"\((?P<words>blocks|unblocks)\)")),
    ("provider", re.compile(r"\(provider: (?P<words>\w+)\)")),
    ("send", re.compile(rf"\((?P<words>{'|'.join(FILES)})\)")),
)


@dataclass
class Line:
    number: int
    who: str
    sign: str  # < or >, or - for what happens to all
    words: str


@dataclass(frozen=True)
class Part:
    """Somebody of the cast, and where she is a member from the start."""

    name: str
    channel: str
    language: str
    communities: tuple[str, ...]
    role: str


@dataclass
class Transcript:
    cast: list[Part]
    communities: dict[str, list[str]]
    lines: list[Line]
    own_only: bool = False
    real_links: bool = False
    templates: bool = False
    title: str = ""
    programme: str | None = None
    weekly: dict[str, str] = field(default_factory=dict)  # the question of a community
    sessions: list[tuple[str, str]] = field(default_factory=list)  # (community, what is planned)


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does in a line with >."""

    verb: str  # say, reply, choose, edit, forward, membership, provider, send
    words: str
    about: str = ""  # words of the bubble that is replied to, chosen on or edited


@dataclass
class _Reader:
    source: str
    found: Transcript = field(default_factory=lambda: Transcript([], {}, []))

    def take(self, number: int, line: str) -> None:
        found = self.found
        if line == OWN_CHANNELS:
            found.own_only = True
        elif line == REAL_LINKS:
            found.real_links = True
        elif line == TEMPLATES:
            found.templates = True
        elif line.startswith("| ") or line == "|":
            found.lines[-1].words += "\n" + line[2:]
        elif line.startswith("community "):
            slug, _colon, rules = line.removeprefix("community ").partition(":")
            found.communities[slug.strip()] = [each.strip() for each in rules.split(",")]
        elif line.startswith("weekly "):
            slug, _colon, question = line.removeprefix("weekly ").partition(":")
            found.weekly[slug.strip()] = question.strip()
        elif line.startswith("session "):
            slug, _colon, planned = line.removeprefix("session ").partition(":")
            found.sessions.append((slug.strip(), planned.strip()))
        elif line.startswith("programme "):
            found.programme = line.removeprefix("programme ").strip()
        elif line.startswith("--"):
            found.lines.append(Line(number, "", "-", line))
        elif cast := _CAST.fullmatch(line):
            found.cast.append(_part(cast[1], cast[2], cast[3], cast[4].split()))
        elif spoken := _LINE.fullmatch(line):
            found.lines.append(Line(number, spoken[1], spoken[2], spoken[3]))
        else:
            raise ValueError(f"{self.source}:{number} is no line of a transcript: {line}")


def _part(name: str, channel: str, language: str, place: list[str]) -> Part:
    role = place.pop() if place and place[-1] in ROLES else "member"
    return Part(name, channel, language, tuple(place), role)


def read(path: Path) -> Transcript:
    return parse(path.read_text(encoding="utf-8"), path.name)


def parse(text: str, source: str = "transcript") -> Transcript:
    """Raises ValueError with the line that is none."""
    reader = _Reader(source)
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("#"):
            reader.found.title = reader.found.title or line.lstrip("# ")
        elif line:
            reader.take(number, line)
    found = reader.found
    for part in found.cast:
        for slug in part.communities:
            found.communities.setdefault(slug, [])
    return found


def programme(transcript: Transcript) -> dict[str, Any]:
    """The communities of a transcript, as a programme file has them."""
    if transcript.programme is not None:
        path = ROOT / "docs" / f"{transcript.programme}.yaml"
        source: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {key: value for key, value in source.items() if key != "demo_members"}
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


def deed(words: str) -> Deed:
    """What the words of a line with > stand for."""
    for verb, pattern in _DEEDS:
        if found := pattern.fullmatch(words):
            return Deed(verb, **found.groupdict())
    return Deed("say", words.removeprefix("\\"))


def plain(words: str) -> str:
    """Words that somebody typed, so that they are read back as just that."""
    special = deed(words).verb != "say" or words.startswith("\\") or _CODE.search(words)
    return f"\\{words}" if special else words


def codes_in(words: str) -> list[str]:
    """The invite codes that are asked for: "crafts" or "crafts facilitator"."""
    return [] if words.startswith("\\") else _CODE.findall(words)


def with_code(words: str, wanted: str, code: str) -> str:
    return words.replace(f"{{{wanted}}}", code)


def later(words: str) -> timedelta | None:
    """How much later it is; None for a line that says something else."""
    found = _LATER.fullmatch(words)
    return timedelta(**{f"{found[2]}s": int(found[1])}) if found else None


def as_later(by: timedelta) -> str:
    """In the largest unit that holds it whole."""
    seconds = round(by.total_seconds())
    units = (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    name, size = next((name, size) for name, size in units if seconds % size == 0)
    count = seconds // size
    return f"-- {count} {name}{'' if count == 1 else 's'} later --"


def heard(text: str, labels: Sequence[str]) -> str:
    """A bubble, with its choices in square brackets whatever they look like on the phone."""
    if labels:
        return f"{text}\n{' '.join(f'[{label}]' for label in labels)}"
    head, _blank, tail = text.rpartition("\n\n")
    lines = tail.split("\n")
    numbered = [re.fullmatch(rf"{n}\. (.*)", line) for n, line in enumerate(lines, 1)]
    if not all(numbered):
        return text
    shown = " ".join(f"[{found[1]}]" for found in numbered if found)
    return f"{head}\n{shown}" if head else shown


def choices(words: str) -> list[str]:
    """The labels at the end of what was heard."""
    last = words.rpartition("\n")[2]
    return _CHOICE.findall(last) if re.fullmatch(r"(\[[^]]+\] ?)+", last) else []


def drawn(words: str) -> str | None:
    """The name that is suggested: a choice alone, a word and a number."""
    found = _DRAWN.fullmatch(words.rpartition("\n")[2])
    return found[1] if found else None


def receipt(words: str) -> str | None:
    """The code of a report that is told in them."""
    found = _RECEIPT.search(words)
    return found[0] if found else None


def with_receipts(words: str, others: Mapping[str, str]) -> str:
    """With the codes of reports that stand for these, as they are shown or typed in haste."""
    for code, other in others.items():
        words = words.replace(code, other).replace(_in_haste(code), _in_haste(other))
    return words


def _in_haste(code: str) -> str:
    return code.lower().replace("-", " ")


def spoken(who: str, sign: str, words: str) -> str:
    """A line of a transcript, on several lines if the words are."""
    first, *rest = words.split("\n")
    return "\n".join([f"{who} {sign} {first}", *(f"| {line}" if line else "|" for line in rest)])
