"""Rehearsals: a fresh store and phones for chosen people; the usual store waits, untouched."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bot import clock
from bot import programme as programmes
from bot import settings as setup
from bot.channels.simulator import LOOKS, phones
from bot.columns import metadata
from bot.db import Database
from bot.programme import Programme
from bot.rehearsal import journal, planned, transcripts, weekly
from bot.rehearsal.phones import Fact, Phone
from bot.rehearsal.playing import Bot, Player
from bot.rehearsal.transcripts import Part, Transcript
from bot.settings import ROOT, Settings

PROGRAMMES = ROOT / "docs"
TRANSCRIPTS = ROOT / "tests" / "conversations"
SUFFIX = "-programme"


class NoSuchRehearsal(Exception):
    """There is no programme, person or transcript of this name, or it cannot be rehearsed."""


@dataclass(frozen=True, slots=True)
class Play:
    """What is rehearsed: a programme with its people, and the transcript if there is one."""

    name: str
    programme: Programme
    people: tuple[Phone, ...]
    transcript: Transcript | None = None


@dataclass(slots=True)
class _Everyday:
    """What is put aside during a rehearsal."""

    settings: Settings
    people: dict[str, Phone]
    journal: list[Fact]
    moved: timedelta


def _put_aside(app: Bot) -> _Everyday:
    return _Everyday(app.settings, phones().all, phones().journal, clock.moved())


@dataclass(slots=True)
class Rehearsals:
    """Where this process is: in its usual store, or in a rehearsal."""

    app: Bot
    play: Play | None = None
    player: Player | None = None  # of its transcript
    _aside: _Everyday | None = None
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def begin(self, play: Play) -> None:
        """Start afresh, with nothing but these people."""
        async with self._changing:
            usual = self._aside.settings if self._aside else self.app.settings
            settings = _settings(usual)
            await asyncio.to_thread(_make_store, settings)
            self._aside = self._aside or _put_aside(self.app)
            clock.reset()
            if play.transcript:
                clock.move(transcripts.BEGINS - clock.now())
            approves = play.transcript is None or play.transcript.templates
            people = (replace(each, bubbles=[], commands=[]) for each in play.people)
            phones().set_out(people, approves=approves)
            await self.app.move_to(settings)
            await self.app.database.run(lambda db: _load(db, play))
            self.app.wake()
            self.play = play
            self.player = Player(self.app, play.transcript) if play.transcript else None
            _remove_stores(usual, but=settings)

    def about(self) -> dict[str, Any] | None:
        """Which rehearsal this is, for the page; None in the usual store."""
        if self.play is None:
            return None
        transcript = self.play.transcript
        return {
            "name": self.play.name,
            "names": None if transcript else self.play.programme.programme.names,
            "title": transcript.title if transcript else "",
            "position": self.player.position if self.player else 0,
            "total": len(transcript.lines) if transcript else 0,
        }

    async def back(self) -> None:
        """To the usual store, with the phones and the clock as they were."""
        async with self._changing:
            if self._aside is None:
                return
            aside, self._aside, self.play, self.player = self._aside, None, None, None
            await self.app.move_to(aside.settings)
            clock.reset(aside.moved)
            phones().set_out(aside.people.values())
            phones().journal = aside.journal
            _remove_stores(aside.settings)


# The store of a rehearsal


def _settings(usual: Settings) -> Settings:
    """Only the simulator takes part: nobody real is written to, or heard, in a rehearsal."""
    path = _folder(usual) / f"{_prefix(usual)}{secrets.token_hex(4)}.db"
    real = (
        "public_url", "telegram_bot_token", "telegram_webhook_secret",
        "twilio_account_sid", "twilio_auth_token", "twilio_whatsapp_from",
    )  # fmt: skip
    own = {"database_url": f"sqlite:///{path}", "media_url": f"{path}.media"}
    return usual.model_copy(update={**own, **dict.fromkeys(real)})


def _folder(usual: Settings) -> Path:
    """Beside the usual store where that is a file, else in var/."""
    is_file = usual.database_url.startswith("sqlite:///")
    return Path(usual.database_url.removeprefix("sqlite:///")).parent if is_file else setup.VAR


def _prefix(usual: Settings) -> str:
    is_file = usual.database_url.startswith("sqlite:///")
    return f"{Path(usual.database_url).stem if is_file else 'linkline'}-rehearsal-"


def _make_store(settings: Settings) -> None:
    database = Database(settings.database_url)
    try:
        database.run_now(metadata.create_all)
    finally:
        database.close()


def _remove_stores(usual: Settings, but: Settings | None = None) -> None:
    for path in _folder(usual).glob(f"{_prefix(usual)}*.db*"):
        if but is None or Path(but.database_url).stem not in path.name:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _load(db: Connection, play: Play) -> None:
    lanes = {"simulator": f"simulator/{next(iter(LOOKS))}"}
    programmes.load(db, play.programme, lanes, clock.now())
    if play.transcript:
        weekly.save(db, play.transcript, clock.now())
        planned.save(db, play.transcript, clock.now())


# What can be rehearsed


def list_programmes() -> dict[str, Programme]:
    """The programme files that come with the project, by name."""
    paths = sorted(PROGRAMMES.glob(f"*{SUFFIX}.yaml"))
    found = {path.stem: programmes.read(path) for path in paths}
    return {name: _without_real_people(each) for name, each in found.items()}


def _without_real_people(programme: Programme) -> Programme:
    rows = [
        each.model_copy(update={"facilitators": [], "focal_points": []})
        for each in programme.communities
    ]
    return programme.model_copy(update={"communities": rows})


def of_programme(name: str, people: Collection[str], *, newcomer: bool) -> Play:
    """A programme with these of its people. Raises NoSuchRehearsal."""
    programme = list_programmes().get(name)
    if programme is None:
        raise NoSuchRehearsal(name)
    chosen = [each for each in programme.demo_members if _id(each.address) in people]
    if len(chosen) != len(set(people)):
        raise NoSuchRehearsal("people")
    shown = [Phone(_id(each.address), each.name, each.look, each.language) for each in chosen]
    if newcomer or not shown:
        shown.append(Phone("new", "Somebody new", "whatsapp", programme.communities[0].language))
    return Play(name, programme.model_copy(update={"demo_members": chosen}), tuple(shown))


def _id(address: str) -> str:
    return address.partition(":")[2]


def list_transcripts() -> dict[str, tuple[Transcript, str]]:
    """The stored talks by name, each with why it cannot be played ("" = it can)."""
    found = {}
    for path in sorted(TRANSCRIPTS.glob("*.txt")):
        try:
            transcript = transcripts.read(path)
        except (OSError, ValueError):
            found[path.stem] = (Transcript([], {}, []), "unreadable")
        else:
            found[path.stem] = (transcript, why_not(transcript))
    return found


def why_not(transcript: Transcript) -> str:
    """A word for why the simulator's phones cannot play it; "" if they can."""
    if not transcript.cast or not transcript.lines:
        return "empty"
    if any(_look(part.channel) not in LOOKS for part in transcript.cast):
        return "channel"
    if transcript.real_links:
        return "links"
    names = {part.name for part in transcript.cast}
    return "people" if any(line.who not in {"", *names} for line in transcript.lines) else ""


def of_transcript(name: str) -> Play:
    """Its communities and its cast. Raises NoSuchRehearsal."""
    transcript, problem = list_transcripts().get(name, (None, ""))
    if transcript is None or problem:
        raise NoSuchRehearsal(name)
    people = [
        Phone(f"s{number}", part.name, _look(part.channel), part.language)
        for number, part in enumerate(transcript.cast, 1)
    ]
    source = transcripts.programme(transcript) | {"demo_members": _members(transcript, people)}
    return Play(name, Programme.model_validate(source), tuple(people), transcript)


def _look(channel: str) -> str:
    return channel.removeprefix("simulator/")


def export(play: Play) -> str:
    """The talk of all phones since the rehearsal began, as a transcript."""
    title = f"A rehearsal of {play.name}"
    return journal.write(phones(), title, _head(play), [_part(play, each) for each in _shown()])


def _shown() -> list[Phone]:
    return list(phones().all.values())


def _head(play: Play) -> list[str]:
    """What passes a closed window, and where the communities of the talk come from."""
    approved = [transcripts.TEMPLATES] if phones().approves else []
    return [*approved, *_communities(play)]


def _communities(play: Play) -> list[str]:
    if play.transcript is None or play.transcript.programme is not None:
        name = play.name if play.transcript is None else play.transcript.programme
        return [f"programme {name}"]
    rules = play.transcript.communities
    asked = [f"weekly {slug}: {each}" for slug, each in play.transcript.weekly.items()]
    asked += [f"session {slug}: {each}" for slug, each in play.transcript.sessions]
    return [
        *(f"community {slug}: {', '.join(each)}".rstrip(": ") for slug, each in rules.items()),
        *asked,
    ]


def _part(play: Play, phone: Phone) -> Part:
    """Whose phone it is, as the cast of a transcript has it."""
    members = (each for each in play.programme.demo_members if _id(each.address) == phone.id)
    member = next(members, None)
    communities = tuple(member.communities) if member else ()
    role = member.role if member else "member"
    return Part(phone.name, phone.look, phone.language, communities, role)


def _members(transcript: Transcript, people: Sequence[Phone]) -> list[dict[str, object]]:
    return [
        {
            "address": f"simulator:{phone.id}",
            "name": part.name,
            "look": phone.look,
            "language": part.language,
            "role": part.role,
            "communities": list(part.communities),
        }
        for part, phone in zip(transcript.cast, people, strict=True)
        if part.communities
    ]
