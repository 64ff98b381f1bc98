"""The phones on the simulator's page, and the journal of what happened on them."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from bot import clock

KEPT = 300  # bubbles a phone remembers
KEPT_FILES = 100  # of all phones, and ...
KEPT_BYTES = 256 << 20  # ... together so large; the newest stays in any case
FILES_AT = "/simulator/files"
LONGEST_JOURNAL = 5000  # things that happened; what comes after is not written down
STILL_HERE = 15  # seconds; then a silent page is told that the line stands
PROVIDERS = ("works", "blocked", "window", "slow", "busy")  # how the provider of a phone is
_NOT_IN_NAMES = re.compile(r'[\[\]<>|#"\s]+')  # they have a meaning in a transcript


@dataclass(slots=True)
class Bubble:
    """One message on a screen."""

    id: str
    mine: bool  # written on this phone
    text: str
    at: str  # ISO time of the moved clock
    buttons: list[tuple[str, str]] = field(default_factory=list)  # (label, data)
    file: str | None = None
    reply_to: str | None = None
    media: dict[str, str] | None = None  # what came with it: {kind, name, at: its address}
    forwarded: bool = False
    edited: bool = False
    mark: str = ""  # agrees or differs, when a transcript is played
    expected: str = ""  # what the transcript has instead

    @property
    def words(self) -> str:
        """The text, and before it the name of a file that came with it."""
        return came_with(self.media["name"], self.text) if self.media else self.text


def came_with(name: str, text: str) -> str:
    """A bubble with a file as a transcript writes it; its words follow."""
    return f"({'QR' if name == 'qr.png' else name}) {text}".rstrip()


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that came to a phone, or goes from it."""

    kind: str  # voice, video, photo, document
    name: str
    mime: str
    content: bytes


@dataclass(slots=True)
class Phone:
    """Somebody's telephone with one of the two apps on it."""

    id: str
    name: str
    look: str  # whatsapp, telegram
    language: str
    bubbles: list[Bubble] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    provider: str = "works"
    spoke_at: str = ""  # ISO time of its last word to us, which opens a window; "" = not known

    def find(self, bubble_id: str) -> Bubble | None:
        return next((each for each in self.bubbles if each.id == bubble_id), None)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened; the journal is a list of them."""

    at: datetime
    # hears, says, sends, forwards, taps, edits, blocked, unblocked, provider, moves, restarts
    verb: str
    phone: str = ""  # its id; "" for what happens to all
    words: str = ""  # as they stood; of a tap the label
    labels: tuple[str, ...] = ()
    bubble: str | None = None  # the one it is about
    reply_to: str | None = None


def everyday() -> list[Phone]:
    """Whose phones there are when nobody chose."""
    people = (
        ("noy", "ນ້ອຍ", "whatsapp", "lo"),
        ("dara", "ដារា", "telegram", "km"),
        ("alex", "Alex", "telegram", "en"),
        ("new", "Somebody new", "whatsapp", "en"),
    )
    return [Phone(*each) for each in people]


class Phones:
    """All phones on the page: what is the provider's side elsewhere; it outlives the bot."""

    def __init__(self) -> None:
        self.all = {each.id: each for each in everyday()}
        self.journal: list[Fact] = []
        self.codes: dict[str, str] = {}  # invite codes that were shown, and for what
        # What passes a closed window, as at a provider: id -> words, and (label, what it says)
        self.approves = True  # whether the templates we submit pass at all
        self.templates: dict[str, tuple[str, tuple[str, str]]] = {}
        self.files: dict[str, Kept] = {}  # by a random key
        self._noted: set[str] = set()  # keys of what was written down
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()

    def set_out(self, phones: Iterable[Phone], *, approves: bool = True) -> None:
        """Other phones from now on, with an empty journal."""
        self.approves = approves
        self.all = {each.id: each for each in phones}
        self.journal, self.codes, self._noted = [], {}, set()

    def add(self, name: str, look: str, language: str) -> Phone:
        """A new phone; its owner is nobody yet. Names are told apart."""
        phone = Phone(f"p{secrets.token_hex(4)}", self._free(name), look, language)
        self.all[phone.id] = phone
        self.tell("phone", asdict(phone))
        return phone

    def _free(self, name: str) -> str:
        name = _NOT_IN_NAMES.sub(" ", name)[:40].strip() or "Phone"
        taken = {each.name for each in self.all.values()}
        numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
        return name if name not in taken else next(each for each in numbered if each not in taken)

    # What is on the screens

    def show(self, phone: Phone, bubble: Bubble) -> None:
        phone.bubbles.append(bubble)
        del phone.bubbles[:-KEPT]
        self.tell("bubble", {"phone": phone.id, "bubble": asdict(bubble)})

    def change(self, phone: Phone, bubble: Bubble) -> None:
        """The bubble is there already and looks different now."""
        self.tell("changed", {"phone": phone.id, "bubble": asdict(bubble)})

    def take_away(self, phone: Phone, ids: Iterable[str]) -> None:
        gone = set(ids)
        phone.bubbles = [each for each in phone.bubbles if each.id not in gone]
        self.tell("gone", {"phone": phone.id, "bubbles": sorted(gone)})

    def forget(self, phone: Phone, ids: Iterable[str]) -> None:
        """What was said in these bubbles is not written down any more, as at a provider."""
        gone = set(ids)
        self.journal = [fact for fact in self.journal if fact.bubble not in gone]

    # What comes and goes with words

    def put_away(self, file: Kept) -> str:
        """Its key, with which the provider has it; the oldest ones go."""
        key = secrets.token_hex(16)
        self.files[key] = file
        while len(self.files) > KEPT_FILES or self._size() > KEPT_BYTES:
            del self.files[next(iter(self.files))]
        return key

    def _size(self) -> int:
        return sum(len(each.content) for each in self.files.values())

    def media(self, key: str) -> dict[str, str] | None:
        """The file as a bubble tells of it: {kind, name, at}; None if it is gone."""
        file = self.files.get(key)
        if file is None:
            return None
        return {"kind": file.kind, "name": file.name, "at": f"{FILES_AT}/{key}/{file.name}"}

    # What happened

    def note(self, verb: str, phone: Phone | None = None, *, key: str = "", **about: Any) -> None:
        """Write it down, once."""
        if (key and key in self._noted) or len(self.journal) >= LONGEST_JOURNAL:
            return
        self._noted.add(key)
        self.journal.append(Fact(clock.now(), verb, phone.id if phone else "", **about))

    # Who looks on

    def tell(self, event: str, data: Mapping[str, Any]) -> None:
        """Tell every open page."""
        for listener in self._listeners:
            listener.put_nowait({"event": event, "data": data})

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """What happens from now on, for one open page; an empty event when nothing happens."""
        listener: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            yield {}
            while (event := await _next(listener)) is not None:
                yield event
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Let the open pages go, so that the server can stop."""
        for listener in self._listeners:
            listener.put_nowait(None)


async def _next(listener: asyncio.Queue[dict[str, Any] | None]) -> dict[str, Any] | None:
    try:
        return await asyncio.wait_for(listener.get(), STILL_HERE)
    except TimeoutError:
        return {}
