"""Play a transcript on the simulator's phones, line by line, and judge what they hear.

Time stands still between the lines, so that a play is the same at any pace.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from bot import clock
from bot.channels import Channel
from bot.channels.simulator import phones
from bot.db import Database
from bot.messages import Inbound, Receipt
from bot.rehearsal import transcripts
from bot.rehearsal.phones import Bubble, Phone
from bot.rehearsal.transcripts import Deed, Line, Transcript
from bot.scheduler import Scheduler
from bot.settings import Settings
from bot.store import communities, invites

PATIENCE = 30  # seconds of the moved clock that somebody waits for a bubble
GLANCE = 0.15  # real seconds between two looks at her phone
MINUTE = timedelta(minutes=1)
CODE_LASTS = timedelta(days=30)
CODE_USES = 30


class Bot(Protocol):
    """What is needed of the app, which stands above."""

    settings: Settings
    channels: list[Channel]
    database: Database
    scheduler: Scheduler

    async def take(self, channel: Channel, events: Iterable[Inbound | Receipt]) -> None: ...
    async def restart(self) -> None: ...
    async def move_to(self, settings: Settings) -> None: ...
    def wake(self) -> None: ...


async def glance(_app: Bot) -> None:
    """Meanwhile comes what is due."""
    await asyncio.sleep(GLANCE)


async def later(app: Bot, by: timedelta) -> None:
    """Move the clock, and do what has become due."""
    phones().note("moves", words=str(int(by.total_seconds())))
    last = min(by, MINUTE)
    for part in filter(None, (by - last, last)):  # what one job lets go another may look at
        clock.move(part)
        await app.scheduler.tick()
        app.wake()
        await glance(app)
    tell_time()


async def restart(app: Bot) -> None:
    """Throw the bot away and start it again; the phones and the store stay."""
    await app.restart()
    phones().note("restarts")
    phones().tell("restarted", time())


def time() -> dict[str, Any]:
    """The phones' clock, as the page is told."""
    return {"clock": clock.now().isoformat(), "stands": clock.stands()}


def tell_time() -> None:
    phones().tell("clock", time())


async def invite(app: Bot, slug: str | None = None, role: str = "member") -> str | None:
    """An invite code of a community, or of the first; remembered, to be told from other words."""

    def work(db: Any) -> tuple[str, str] | None:
        wanted = slug or next(iter(communities.list_slugs(db)), "")
        community = communities.find(db, wanted)
        if community is None:
            return None
        now = clock.now()
        return wanted, invites.add(db, community.id, role, CODE_USES, CODE_LASTS, now)

    found = await app.database.run(work)
    if found is None:
        return None
    community, code = found
    phones().codes[code] = community if role == "member" else f"{community} {role}"
    return code


@dataclass(frozen=True, slots=True)
class Step:
    """One line that was played."""

    position: int  # lines played so far
    total: int
    phone: str = ""  # whose it is; "" = everybody's
    name: str = ""
    sign: str = ""
    words: str = ""
    outcome: str = "over"  # done; agrees, differs, silent; stuck: it cannot be done; over


class _Stuck(Exception):
    """What the line says cannot be done on this phone."""


@dataclass
class Player:
    """Goes through one transcript."""

    app: Bot
    transcript: Transcript
    position: int = 0
    _dealt_with: set[str] = field(default_factory=set)  # bubbles that were judged
    _drawn: dict[str, str] = field(default_factory=dict)  # names drawn by lot, by phone
    _receipts: dict[str, str] = field(default_factory=dict)  # codes of reports, by the written one
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def step(self) -> Step:
        async with self._turn:
            lines = self.transcript.lines
            if self.position >= len(lines):
                return self._end()
            clock.stand()
            line = lines[self.position]
            phone = self._phone(line.who)
            try:
                outcome = await self._play(line, phone)
            except _Stuck:
                outcome = "stuck"
            clock.stand()
            self.position += 1
            tell_time()
            if self.position == len(lines):
                self._end()
            return self._step(line, phone, outcome)

    def _step(self, line: Line, phone: Phone | None, outcome: str) -> Step:
        id_ = phone.id if phone else ""
        total = len(self.transcript.lines)
        return Step(self.position, total, id_, line.who, line.sign, line.words, outcome)

    def _end(self) -> Step:
        """What nobody wrote down that they heard differs too; time goes on."""
        for phone in phones().all.values():
            for bubble in self._unread(phone):
                self._mark(phone, bubble, "differs")
        clock.go_on()
        tell_time()
        return Step(self.position, len(self.transcript.lines))

    def _phone(self, name: str) -> Phone | None:
        return next((each for each in phones().all.values() if each.name == name), None)

    async def _play(self, line: Line, phone: Phone | None) -> str:
        if phone is None:
            await self._happen(line.words)
            return "done"
        if line.sign == "<":
            return await self._judge(phone, line.words)
        await self._act(phone, line.words)
        return "done"

    async def _happen(self, words: str) -> None:
        by = transcripts.later(words)
        if by is None:
            return await restart(self.app)
        await later(self.app, by)

    # What is heard

    async def _judge(self, phone: Phone, expected: str) -> str:
        bubble = await self._listen(phone)
        if bubble is None:
            return "silent"
        heard = _heard(bubble)
        drawn = transcripts.drawn(heard)
        if drawn is not None and self._phone(drawn) is None:
            self._drawn[phone.id] = drawn
        self._note_receipt(heard, expected)
        agrees = self._told(heard) == self._told(expected)
        mark = "agrees" if agrees else "differs"
        self._mark(phone, bubble, mark, "" if agrees else expected)
        return mark

    async def _listen(self, phone: Phone) -> Bubble | None:
        for _second in range(PATIENCE):
            await glance(self.app)
            for bubble in self._unread(phone):
                return bubble
            clock.move(timedelta(seconds=1))
            self.app.wake()
        return None

    def _unread(self, phone: Phone) -> Iterator[Bubble]:
        return (each for each in phone.bubbles if not each.mine and each.id not in self._dealt_with)

    def _mark(self, phone: Phone, bubble: Bubble, mark: str, expected: str = "") -> None:
        self._dealt_with.add(bubble.id)
        bubble.mark, bubble.expected = mark, expected
        phones().change(phone, bubble)

    def _note_receipt(self, heard: str, expected: str) -> None:
        code, written = transcripts.receipt(heard), transcripts.receipt(expected)
        if code is not None and written is not None:
            self._receipts.setdefault(written, code)

    def _told(self, words: str) -> str:
        """Names and codes that are drawn by lot are all the same to a transcript."""
        written = {code: written for written, code in self._receipts.items()}
        words = transcripts.with_receipts(words, written)
        for drawn in self._drawn.values():
            words = words.replace(drawn, transcripts.DRAWN)
        return words

    # What is done

    async def _act(self, phone: Phone, words: str) -> None:
        for wanted in transcripts.codes_in(words):
            code = await invite(self.app, *wanted.split())
            words = transcripts.with_code(words, wanted, code or "")
        words = words.replace(transcripts.DRAWN, self._drawn.get(phone.id, transcripts.DRAWN))
        deed = transcripts.deed(transcripts.with_receipts(words, self._receipts))
        if deed.verb == "provider":
            return set_provider(phone, deed.words)
        if deed.verb == "membership":
            return await block(self.app, phone, deed.words == "blocks")
        await write(self.app, phone, _on_page(phone, deed))


def _heard(bubble: Bubble) -> str:
    return transcripts.heard(bubble.words, [label for label, _data in bubble.buttons])


async def write(app: Bot, phone: Phone, sent: dict[str, Any]) -> None:
    """Through the same door as the page's own calls."""
    channel = next(each for each in app.channels if each.name == "simulator")
    body = json.dumps({"phone": phone.id, **sent}).encode()
    await app.take(channel, channel.receive("", {"content-type": "application/json"}, body))
    await asyncio.sleep(0)  # it is shown, and in the journal, before anything else is done


async def block(app: Bot, phone: Phone, blocks: bool) -> None:
    """She blocks the bot or lets it write again; Telegram tells the bot, WhatsApp does not."""
    set_provider(phone, "blocked" if blocks else "works", told=phone.look == "telegram")
    if phone.look == "telegram":
        await write(app, phone, {"membership": "blocks" if blocks else "unblocks"})


def set_provider(phone: Phone, provider: str, *, told: bool = False) -> None:
    """From now on her provider works, or fails like this; `told` = the bot hears of it."""
    before, phone.provider = phone.provider, provider
    if not told and {before, provider} - {"slow", "works"}:  # what is slow says the same
        phones().note("provider", phone, words=provider)
    phones().tell("provider", {"phone": phone.id, "provider": provider})


def _on_page(phone: Phone, deed: Deed) -> dict[str, Any]:
    """What the page would send."""
    match deed.verb:
        case "send":
            return {"file": deed.words}
        case "forward":
            return {"text": deed.words, "forwarded": True}
        case "edit":
            return {"edit": _own(phone, deed.about), "text": deed.words}
        case "choose":
            return _choose(phone, _with_choice(phone, deed.words), deed.words)
        case "reply":
            return _reply(phone, deed)
    return {"text": deed.words}


def _reply(phone: Phone, deed: Deed) -> dict[str, Any]:
    bubble = _latest(each for each in phone.bubbles if not each.mine and deed.about in each.words)
    choice = transcripts.deed(deed.words)
    if choice.verb == "choose":
        return _choose(phone, bubble, choice.words)
    if choice.verb == "send":
        return {"file": choice.words, "reply_to": bubble.id}
    return {"text": choice.words if choice.verb == "say" else deed.words, "reply_to": bubble.id}


def _choose(phone: Phone, bubble: Bubble, label: str) -> dict[str, Any]:
    """A tap; where there are no buttons a number, quoting the list if others came since."""
    labels = transcripts.choices(_heard(bubble))
    if label not in labels:
        raise _Stuck
    if bubble.buttons:
        return {"bubble": bubble.id, "button": labels.index(label)}
    number = str(labels.index(label) + 1)
    last = _latest(each for each in phone.bubbles if not each.mine)
    return {"text": number} | ({} if bubble is last else {"reply_to": bubble.id})


def _with_choice(phone: Phone, label: str) -> Bubble:
    offers = (each for each in phone.bubbles if not each.mine)
    return _latest(each for each in offers if label in transcripts.choices(_heard(each)))


def _own(phone: Phone, first_words: str) -> str:
    facts = (each for each in phones().journal if each.phone == phone.id)
    found = next((each.bubble for each in facts if each.words == first_words), None)
    if found is None:
        raise _Stuck
    return found


def _latest(found: Iterator[Bubble]) -> Bubble:
    bubbles = list(found)
    if not bubbles:
        raise _Stuck
    return bubbles[-1]
