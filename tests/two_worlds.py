"""Two worlds: the same story, with only the askers swapped; what can be seen of it must not differ.

Two members, Noy and Bo, each ask something without a name. In the other world each asks what the
other asked here. Whatever both of them do, they do in the same order, so that their own chats with
the bot are of one shape. Then the chats of all others, the logs, the figures and the store as it
stands there for somebody without the keys must be the same, word by word and row by row.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

from prometheus_client import generate_latest
from sqlalchemy import LargeBinary, select, type_coerce

from bot import clock, logs, models, nameless
from bot.columns import Sealed
from handlers.answers import BURST
from tests.stage import Stage
from tests.voicing import VOICES as SOUNDS

PAIR = ("Noy", "Bo")
OTHERS = ("Dara", "Sok", "Alex")  # Alex facilitates
QUESTIONS = {
    "X": "My manager takes part of our pay. What can I do?",
    "Y": "How do you tell a donor that a training went wrong, and that the money for it is spent?",
}
VOICES = {"X": "weave.ogg", "Y": "lend.ogg"}
# Longer than any chance could hold something.
SOON = nameless.LONGEST + timedelta(minutes=1)
# Random by design: nothing can be read from them.
RANDOM = {
    ("prompts", "token"),
    ("dispatches", "token"),
    ("media", "name"),
    ("envelopes", "id"),
    ("envelopes", "due_at"),
    ("lanes", "owner"),
    ("lanes", "leased_until"),  # by the clock of the store, which stands for nobody
}


@dataclass(frozen=True)
class Event:
    """One thing that happens: who (a name, or "both" of the pair) does what, in which thread."""

    kind: str
    who: str = ""
    thread: str = "X"
    number: int = 0


@dataclass
class World:
    """How it looks afterwards."""

    chats: dict[str, list[str]]
    dump: list[tuple[str, tuple[Any, ...]]]
    logs: list[str]
    figures: list[str]


def play(database_url: str, asks: dict[str, str], story: Sequence[Event], **cast: Any) -> World:
    """`asks`: who of the pair asks which question."""
    return asyncio.run(_play(database_url, asks, story, **cast))


async def _play(
    database_url: str,
    asks: dict[str, str],
    story: Sequence[Event],
    *,
    channel: str = "telegram",
    discreet: bool = False,
) -> World:
    lines: list[str] = []
    before = _figures()
    with _caught(lines):
        logs.configure("DEBUG")
        clock.stand()
        stage = Stage(database_url)
        try:
            _cast(stage, channel, discreet=discreet)
            with mock.patch.object(nameless, "delay", lambda held: _delay(asks, held)):
                told = _Telling(stage, asks)
                for event in story:
                    await told.happen(event)
            dump = stage.app.database.run_now(_dump)
        finally:
            await stage.close()
            clock.reset()
    chats = {name: [str(each) for each in person.heard] for name, person in stage.people.items()}
    plain = [re.sub(r"timestamp=\S+ ", "", line) for line in lines]
    return World(chats, dump, plain, _grown(before, _figures()))


def _caught(lines: list[str]) -> Any:
    kinds = dict.fromkeys(("debug", "info", "warning", "error", "critical"))
    catch = dict.fromkeys(kinds, lambda _self, line: lines.append(line))
    return mock.patch.multiple(logs._Lines, **catch)


def _cast(stage: Stage, channel: str, *, discreet: bool) -> None:
    called = dict.fromkeys(("en", "lo", "km"), "P")
    stage.load(
        {
            "programme": {"slug": "p", "names": called, "contact": "the team"},
            "communities": [
                {
                    "slug": "crafts",
                    "names": dict.fromkeys(("en", "lo", "km"), "Crafts"),
                    "language": "en",
                    "timezone": "Asia/Vientiane",
                    "discreet": discreet,
                }
            ],
        }
    )  # fmt: skip
    for name in (*PAIR, *OTHERS):
        own = channel if name in PAIR else "telegram"
        role = "facilitator" if name == "Alex" else "member"
        stage.settle(stage.add(name, own, "en"), "crafts", role)


def _delay(asks: dict[str, str], held: dict[str, Any]) -> timedelta:
    """Chance falls alike in both worlds: by what is done where, and whether the asker does it."""
    asked = asks.get(dict(enumerate(PAIR, 1)).get(held["member"], ""))  # they were settled first
    about = "XY"[held["thread"] - 1] if "thread" in held else asked  # X comes out first
    seconds = 100 if about == "X" else 300
    return timedelta(seconds=seconds + 50 * (asked == about) + held.get("post", 0) % 40)


class _Telling:
    """Plays events; who is meant by "both" does it first as Noy, then as Bo."""

    def __init__(self, stage: Stage, asks: dict[str, str]) -> None:
        self._stage = stage
        self._asks = asks
        self._numbers: dict[str, int] = {}  # X and Y -> 101, 102
        self._answers: dict[str, list[str]] = {"X": [], "Y": []}

    async def happen(self, event: Event) -> None:
        who = PAIR if event.who == "both" else (event.who,)
        for name in who:
            await getattr(self, f"_{event.kind}")(name, event)
            clock.move(BURST)  # answers wait for a further bubble
            await self._stage.deliver()
            await self._open_all()

    async def _open_all(self) -> None:
        """On discreet phones everybody opens what waits, as soon as it waits."""
        for name, person in self._stage.people.items():
            for _each in range(3):
                last = str(person.heard[-1]) if person.heard else ""
                if "[Open]" not in last:
                    break
                await self._stage.choose(name, "Open")

    async def _ask(self, name: str, event: Event) -> None:
        text = QUESTIONS[self._asks[name]]
        if not event.number:
            text = f"{text} It is {self._asks[name]}."
        await self._stage.say(name, text)
        await self._choose(name, "Without my name")
        await self._choose(name, "Send")

    async def _speak(self, name: str, _event: Event) -> None:
        """Asks with a voice note beside the words."""
        letter = self._asks[name]
        await self._stage.say(name, QUESTIONS[letter])
        await self._stage.send_file(name, "voice", (SOUNDS / VOICES[letter]).read_bytes())
        for label in ("Without my name", "Send", "Send anyway"):
            await self._choose(name, label)

    async def _choose(self, name: str, label: str) -> None:
        clock.move(BURST)  # previews wait for a further bubble
        await self._stage.deliver()
        await self._stage.choose(name, label)

    async def _wait(self, _name: str, event: Event) -> None:
        await self._stage.later(SOON * max(1, event.number))
        self._find_numbers()

    def _find_numbers(self) -> None:
        for bubble in self._stage.people["Dara"].heard:
            for letter, words in QUESTIONS.items():
                found = re.search(r"\(Q(\d+)\)", bubble.text)
                if found and words in bubble.text:
                    self._numbers.setdefault(letter, int(found[1]))

    async def _answer(self, name: str, event: Event) -> None:
        words = f"{name} did this for {event.thread}, {len(self._answers[event.thread])}."
        if event.thread in self._numbers:
            self._answers[event.thread].append(words)
            await self._stage.say(name, f"{self._numbers[event.thread]} {words}")

    async def _help(self, name: str, event: Event) -> None:
        given = [each for each in self._answers[event.thread] if not each.startswith(name)]
        if given:
            words = given[event.number % len(given)]
            heard = self._stage.people[name].heard
            told = next((each.text for each in heard if each.text.startswith(words)), None)
            if told is not None:
                await self._stage.reply(name, told, "This helps")

    async def _reply(self, name: str, event: Event) -> None:
        """Each adds to her own thread."""
        letter = self._asks[name]
        if letter in self._numbers:
            await self._stage.say(name, f"{self._numbers[letter]} And one thing more on {letter}.")
            await self._choose(name, "Send")

    async def _close(self, name: str, event: Event) -> None:
        letter = self._asks.get(name, event.thread)
        can = [number for number in self._numbers.values() if self._is_open(number)]
        if letter in self._numbers and len(can) == len(self._asks):  # else one could do less
            await self._stage.say(name, str(self._numbers[letter]))
            if name in self._asks or name == "Alex":
                await self._stage.choose(name, "Close it")

    async def _outcome(self, name: str, event: Event) -> None:
        """Each tells what came of her own question, where both have an answer."""
        letter = self._asks.get(name)
        if letter is None:  # she asked nothing
            return
        if len(self._asks) == sum(map(self._is_answered, self._numbers.values())):
            await self._stage.say(name, str(self._numbers[letter]))
            for label in ("What came of it", "It worked"):
                await self._choose(name, label)
            if event.number:
                await self._stage.say(name, f"It turned out well with {letter}.")
                await self._choose(name, "Send")
            else:
                await self._choose(name, "Skip")

    def _is_answered(self, number: int) -> bool:
        talks = models.threads.c
        wanted = select(talks.id).where(
            talks.number == number, talks.state.in_(("answered", "helped")), talks.outcome.is_(None)
        )
        return self._stage.app.database.run_now(lambda db: db.execute(wanted).scalar()) is not None

    def _is_open(self, number: int) -> bool:
        state = select(models.threads.c.state).where(models.threads.c.number == number)
        return self._stage.app.database.run_now(lambda db: db.execute(state).scalar()) != "closed"

    async def _look(self, name: str, event: Event) -> None:
        await self._stage.say(name, str(self._numbers.get(event.thread, 101)))

    async def _mine(self, name: str, _event: Event) -> None:
        await self._stage.say(name, "my questions")

    async def _mute(self, name: str, event: Event) -> None:
        if event.thread in self._numbers:
            asked = f"(Q{self._numbers[event.thread]})"
            if any(asked in each.text for each in self._stage.people[name].heard):
                await self._stage.reply(name, asked, "Stop following")

    async def _unanswered(self, _name: str, _event: Event) -> None:
        await self._stage.say("Alex", "unanswered")

    async def _hide(self, _name: str, event: Event) -> None:
        """Alex hides the question itself."""
        if event.thread in self._numbers:
            await self._stage.say("Alex", str(self._numbers[event.thread]))
            if "[Hide a post]" in str(self._stage.people["Alex"].heard[-1]):
                await self._stage.choose("Alex", "Hide a post")
                for label in ("Post 1", "It may hurt", "Hide it"):
                    if f"[{label}]" in str(self._stage.people["Alex"].heard[-1]):
                        await self._stage.choose("Alex", label)

    async def _edit(self, name: str, _event: Event) -> None:
        """She mends her question, held or out; only Telegram's app can."""
        person = self._stage.people[name]
        if person.channel == "telegram":
            text = next(each for each in person.said if QUESTIONS[self._asks[name]] in each)
            await self._stage.edit(name, text, f"{QUESTIONS[self._asks[name]]} Please.")

    async def _restart(self, _name: str, _event: Event) -> None:
        await self._stage.restart()


# What can be seen


def _dump(db: Any) -> list[tuple[str, tuple[Any, ...]]]:
    """Every row as it stands there without the keys: of what is sealed only how long it is."""
    rows = []
    for table in models.metadata.sorted_tables:
        plain = [_plain(table.name, column) for column in table.columns]
        order = [column for column in table.primary_key if _is_plain(table.name, column)]
        stored = [
            type_coerce(each, LargeBinary) if isinstance(each.type, Sealed) else each
            for each in table.columns
        ]
        for row in db.execute(select(*stored).order_by(*order)).all():
            rows.append((table.name, tuple(f(v) for f, v in zip(plain, row, strict=True))))
    return rows


def _is_plain(table: str, column: Any) -> bool:
    is_random = (table, column.name) in RANDOM
    return not is_random and not isinstance(column.type, LargeBinary)


def _plain(table: str, column: Any) -> Any:
    if isinstance(column.type, Sealed):
        return lambda value: value and len(value)
    return (lambda value: value) if _is_plain(table, column) else (lambda value: value is not None)


def _figures() -> dict[str, float]:
    found = {}
    for line in generate_latest().decode().splitlines():
        if (
            line.startswith("linkline_")
            and "_created" not in line
            and "_seconds_" not in line
            and "waiting" not in line
        ):
            name, _space, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def _grown(before: dict[str, float], after: dict[str, float]) -> list[str]:
    grown = {name: value - before.get(name, 0.0) for name, value in after.items()}
    return [f"{name} {value}" for name, value in sorted(grown.items()) if value]


def unnumbered(dump: Sequence[tuple[str, tuple[Any, ...]]], *, swap: bool) -> list[str]:
    """The rows without their own numbers, in no order; `swap`: the two members exchanged."""
    tables = {table.name: list(table.columns) for table in models.metadata.sorted_tables}
    return sorted(
        f"{name} {[_unnumbered(c, v, swap=swap) for c, v in zip(tables[name], row, strict=True)]}"
        for name, row in dump
    )


def _unnumbered(column: Any, value: Any, *, swap: bool) -> Any:
    if column.name in ("member_id", "author_id", "asker_id", "address_id", "reached_id"):
        return {1: 2, 2: 1}.get(value, value) if swap else value
    numbers = column.primary_key or column.foreign_keys
    return None if numbers and not isinstance(value, str) else value


def swapped(words: str) -> str:
    """The same with the two names exchanged."""
    return re.sub(r"Noy|Bo\b", lambda name: "Bo" if name[0] == "Noy" else "Noy", words)
