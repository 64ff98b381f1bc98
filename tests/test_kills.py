"""Killed with -9 at any moment and started again: nothing taken is lost, no effect is repeated.

A dozen people ask and answer, none faster than we listen to, through strict providers in processes
of their own, while `linkline run` is killed again and again: at named points, by a wrapper
(tests/killable.py), and at random moments. Then everything is counted, in the store and at the
providers.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from bot import seals
from bot.allowances import MESSAGES
from bot.models import (
    addresses,
    bubbles,
    deliveries,
    dispatches,
    messages,
    posts,
    threads,
)
from tests.processes import (
    LANES,
    Bubble,
    Linkline,
    Nursery,
    Packet,
    Person,
    Town,
    deliver,
    town,
    until,
)

pytestmark = pytest.mark.repeats

CAST = (
    ("Noyzebra", "whatsapp", "lo"),
    ("Darazebra", "telegram", "km"),
    ("Alexzebra", "telegram", "en"),
    ("Bounzebra", "whatsapp", "en"),
    ("Sokhazebra", "whatsapp", "km"),
    ("Keozebra", "telegram", "lo"),
    ("Maizebra", "telegram", "en"),
    ("Vannakzebra", "whatsapp", "km"),
    ("Somzebra", "telegram", "lo"),
    ("Chanthyzebra", "whatsapp", "lo"),
    ("Piszebra", "telegram", "km"),
    ("Laylazebra", "whatsapp", "en"),
)

# (point, the n-th pass), reached when all is mended that the kill before has left.
EVERYWHERE = (
    ("inbox row added", 3),
    ("turn done, not committed", 2),
    ("turn committed, not answered", 4),
    ("claimed, not frozen", 2),
    ("frozen, not committed", 3),
    ("frozen, not sent", 2),
    ("recovered, not committed", 1),
    ("handed to the channel", 3),
    ("marked as repeated, not committed", 1),
    ("accepted by WhatsApp, answer not read", 2),
    ("looked up, not written down", 1),
    ("answer read, not settled", 3),
    ("about to settle", 2),
    ("settled, not committed", 3),
    ("between two parts", 1),
    ("first chunk of a fan-out", 1),
    ("further chunk of a fan-out", 2),
    ("receipt applied, not committed", 2),
    ("lane taken, not recovered", 1),
    ("accepted, answer not read", 5),
    ("frozen, not sent", 6),
    ("turn committed, not answered", 7),
)
MOST_TELLING = (
    ("turn committed, not answered", 3),
    ("turn done, not committed", 2),
    ("frozen, not sent", 3),
    ("accepted, answer not read", 2),
    ("settled, not committed", 2),
    ("further chunk of a fan-out", 2),
    ("between two parts", 1),
)
# These are passed at the start only, while the leavings of the kill before are under way.
AT_THE_START = {
    "recovered, not committed",
    "marked as repeated, not committed",
    "looked up, not written down",
    "lane taken, not recovered",
}
# Seconds between two rounds of a person, who says four things in each: more is a flood.
PAUSE = MESSAGES.per.total_seconds() / (MESSAGES.most // 4 - 0.2)
LIVES = (0.0, 0.6)  # seconds until a random kill, once things are mended


@dataclass
class Asked:
    """One question, and who answered it, in order."""

    text: str
    author: str
    number: int = 0
    answers: list[tuple[str, str]] = field(default_factory=list)  # (author, text)
    turn: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Kill:
    """What was under way at a kill, by dispatch id."""

    why: str
    under_way: set[int]


class Life:
    """Keeps linkline running whatever happens, kills it as planned, and writes down each death."""

    def __init__(self, place: Town, plan: list[tuple[str, int] | None], chance: random.Random):
        self.place, self.plan, self.chance = place, list(plan), chance
        self.server: Linkline = place.linkline("run")
        self.kills: list[Kill] = []
        self.failure: Exception | None = None
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        self.server.start().wait_ready()
        self.place.twilio.control(deliver_callbacks_to=self.server.url)
        self._thread.start()

    def _run(self) -> None:
        try:
            for each in self.plan:
                self._die(each)
            self.server.start().wait_ready()
        except Exception as error:
            self.failure = error
        self.over.set()

    def _die(self, planned: tuple[str, int] | None) -> None:
        """One life, from its start to its end. The first server is ended as well."""
        if not self.kills:
            self._end("the first one")
        if planned is None:
            self.server.start().wait_ready()
            until("things to be mended", self._is_mended)
            time.sleep(self.chance.uniform(*LIVES))
            self._end("a random moment")
        else:
            self._die_at(*planned)

    def _die_at(self, point: str, passes: int) -> None:
        gate = self.place.folder / f"gate{len(self.kills)}"
        # What Telegram takes without an answer is repeated once, so nothing may cut that short.
        changes = ["send no telegram"] if point.startswith("looked up") else []
        # A receipt would tell what became of it, so that there is nothing to look up.
        silent = point.startswith("accepted by WhatsApp")
        self.place.twilio.control(deliver_callbacks_to=None if silent else self.server.url)
        if point in AT_THE_START:
            gate.touch()
        self.server.start((point, passes, str(gate)), *changes)
        if point not in AT_THE_START:
            self.server.wait_ready()
            until("things to be mended", self._is_mended)
            gate.touch()
        until(f"a death at {point}", lambda: not self.server.alive(), every=0.01)
        self._note(point)

    def _is_mended(self) -> bool:
        """Nothing is under way any more of what was at the last kill."""
        return not self.kills[-1].under_way & self.place.store.run_now(_under_way)

    def _end(self, why: str) -> None:
        self.server.kill()
        self._note(why)

    def _note(self, why: str) -> None:
        assert self.server.code == -9, f"{why}: {self.server.code}\n{self.server.errors()}"
        self.kills.append(Kill(why, self.place.store.run_now(_under_way)))


def _long(person: Person, count: int) -> str:
    """So much that it takes two bubbles on Telegram, and two or three on WhatsApp."""
    most = 4000 if person.channel == "telegram" else 1550
    text = " ".join(f"{person.name}{count}.{word}" for word in range(400))
    return text[: most - 40]


def _under_way(db: Connection) -> set[int]:
    """The parts that may or may not have left."""
    open_states = ("sending", "unknown")
    statement = (
        select(dispatches.c.id)
        .join(deliveries, deliveries.c.id == dispatches.c.delivery_id)
        .where(deliveries.c.state.in_(open_states), dispatches.c.state.in_(open_states))
    )
    return set(db.execute(statement).scalars())


class Traffic:
    """Everybody asks and answers until told to stop; what was acknowledged is written down."""

    def __init__(self, place: Town, life: Life, chance: random.Random) -> None:
        self.place, self.life = place, life
        self.asked: list[Asked] = []
        self.said: Counter[str] = Counter()  # bubbles each person must have got as an answer
        self.failures: list[BaseException] = []
        self._stop = threading.Event()
        self._seed = chance.random()
        self._threads = [
            threading.Thread(target=self._live, args=(person, number), daemon=True)
            for number, person in enumerate(place.people.values())
        ]

    def begin(self) -> None:
        for each in self._threads:
            each.start()

    def end(self) -> None:
        self._stop.set()
        for each in self._threads:
            each.join(60)
            assert not each.is_alive(), "somebody still waits for the bot"

    def _live(self, person: Person, number: int) -> None:
        chance = random.Random(f"{self._seed}{number}")
        count = 0
        self._stop.wait(chance.uniform(0, PAUSE))
        try:
            while not self._stop.is_set():
                count += 1
                self._ask(person, count, chance)
                self._answer(person, count, chance)
                self._stop.wait(PAUSE)
        except BaseException as error:
            self.failures.append(error)

    def _post(self, packet: Packet, chance: random.Random) -> None:
        """Until it is taken, and now and then once more, as both providers do."""
        until("a 2xx", lambda: 200 <= deliver(self.life.server.url, packet) < 300, every=0.05)
        if chance.random() < 0.2:
            deliver(self.life.server.url, packet)

    def _ask(self, person: Person, count: int, chance: random.Random) -> None:
        text = f"{person.name} asks zebra <{count}>"
        if chance.random() < 0.4:
            text = f"{text} {_long(person, count)}"
        self._post(person.says("/ask"), chance)
        self._post(person.says(text), chance)
        preview = self._preview(person, f"{person.name} asks zebra <{count}>")
        asked = Asked(f"{person.name} asks zebra <{count}>", person.name)
        self._post(person.chooses(preview, 0), chance)
        self.said[person.name] += 3
        self.asked.append(asked)

    def _preview(self, person: Person, words: str) -> Bubble:
        """The part of the preview with its choices, once she has read it and the bot knows."""

        def look() -> Bubble | None:
            self.place.read_mail()
            if not (found := person.with_words(words)):
                return None
            last = person.heard.index(found[0])
            return next((each for each in person.heard[last:] if self._offers(person, each)), None)

        shown: Bubble = until(f"{person.name} to see her question", look)
        if person.channel == "whatsapp":
            until("the bot to know its bubble", lambda: self._is_known(person, shown), every=0.05)
        return shown

    def _offers(self, person: Person, bubble: Bubble) -> bool:
        """Four choices and more: only a preview has so many."""
        return len(bubble.buttons) >= 4 or "\n4. " in bubble.text

    def _is_known(self, person: Person, bubble: Bubble) -> bool:
        keys = seals.lookups("dispatches.provider_key", LANES[person.channel], bubble.id)
        find = select(dispatches.c.id).where(dispatches.c.provider_key.in_(keys))
        return self.place.store.run_now(lambda db: db.execute(find).first()) is not None

    def _answer(self, person: Person, count: int, chance: random.Random) -> None:
        """One question of somebody else that she has heard, by its number."""
        asked = self._pick(person, chance)
        if asked is None:
            return
        with asked.turn:
            text = f"{person.name} answers zebra <{count}>"
            self._post(person.says(f"{asked.number} {text}"), chance)
            self.said[person.name] += 1
            asked.answers.append((person.name, text))

    def _pick(self, person: Person, chance: random.Random) -> Asked | None:
        found = [each for each in self.asked[-12:] if each.author != person.name]
        chance.shuffle(found)
        for asked in found:
            asked.number = asked.number or self._number(person, asked.text)
            if asked.number and person.name not in [name for name, _text in asked.answers]:
                return asked
        return None

    def _number(self, person: Person, text: str) -> int:
        statement = (
            select(threads.c.number, bubbles.c.text)
            .join(posts, posts.c.thread_id == threads.c.id)
            .join(bubbles, bubbles.c.post_id == posts.c.id)
            .where(posts.c.kind == "question")
            .order_by(posts.c.id.desc())
            .limit(20)
        )
        rows = self.place.store.run_now(lambda db: db.execute(statement).all())
        return next((row.number for row in rows if row.text.startswith(text)), 0)


# Counting ----------------------------------------------------------------------------------------


class Audit:
    """Everything that the store and the providers hold, compared with what was acknowledged."""

    def __init__(self, place: Town, life: Life, traffic: Traffic) -> None:
        self.place, self.life, self.traffic = place, life, traffic
        place.read_mail()
        place.store.run_now(self._read)

    def _read(self, db: Connection) -> None:
        names = {each.address: each.name for each in self.place.people.values()}
        rows = db.execute(select(addresses.c.member_id, addresses.c.sealed))
        self.members = {row.member_id: names[row.sealed] for row in rows if row.sealed in names}
        self.bubbles = [
            row._asdict()
            for row in db.execute(
                select(
                    bubbles.c.text, posts.c.kind, posts.c.state, posts.c.author_id,
                    posts.c.message_id,
                ).join(posts, posts.c.id == bubbles.c.post_id)
            )
        ]  # fmt: skip
        self.deliveries = [
            row._asdict()
            for row in db.execute(
                select(
                    deliveries.c.id, deliveries.c.message_id, deliveries.c.member_id,
                    deliveries.c.lane, deliveries.c.state, deliveries.c.reason,
                    messages.c.kind,
                ).join(messages, messages.c.id == deliveries.c.message_id)
            )
        ]  # fmt: skip
        self.parts = [
            row._asdict()
            for row in db.execute(
                select(
                    dispatches.c.id, dispatches.c.repeats, deliveries.c.member_id,
                    deliveries.c.lane,
                ).join(deliveries, deliveries.c.id == dispatches.c.delivery_id)
            )
        ]  # fmt: skip
        self.told = db.execute(select(messages.c.id).where(messages.c.kind == "thread")).all()
        self.threads = db.execute(select(threads.c.id)).all()

    def check(self) -> None:
        self.expected = self._expected()
        self._store_holds_each_once()
        self._deliveries_are_whole()
        self._phones_have_each()
        self._whatsapp_never_repeats()
        self._telegram_repeats_what_was_under_way()
        self._order_is_kept()

    def _expected(self) -> dict[str, tuple[str, set[str]]]:
        """Each text that was acknowledged: (its author, who must get it)."""
        everybody = set(self.place.people)
        found: dict[str, tuple[str, set[str]]] = {}
        for asked in self.traffic.asked:
            found[asked.text] = (asked.author, everybody - {asked.author})
            followers = {asked.author}
            for author, text in asked.answers:
                found[text] = (author, followers - {author})
                followers = followers | {author}
        return found

    def _store_holds_each_once(self) -> None:
        questions = len(self.traffic.asked)
        answers = sum(len(each.answers) for each in self.traffic.asked)
        assert len(self.threads) == questions
        assert len(self.told) == questions + answers
        held = Counter(self._head(each["text"]) for each in self.bubbles)
        differ = {text: n for text, n in held.items() if n != 1 or text not in self.expected}
        assert not differ, f"kept more or less than once: {differ}"
        assert set(held) == set(self.expected), set(self.expected) - set(held)
        assert {each["state"] for each in self.bubbles} == {"live"}

    @staticmethod
    def _head(text: str) -> str:
        return text.partition(">")[0] + ">"

    def _deliveries_are_whole(self) -> None:
        by_message: dict[int, Counter[str]] = defaultdict(Counter)
        for each in self.deliveries:
            by_message[each["message_id"]][self.members[each["member_id"]]] += 1
            assert each["state"] in ("sent", "delivered", "read"), each
        for bubble in self.bubbles:
            author, wanted = self.expected[self._head(bubble["text"])]
            assert self.members[bubble["author_id"]] == author
            reached = by_message[bubble["message_id"]]
            assert set(reached.values()) <= {1}
            # A fan-out of several chunks also finds those who began to follow meanwhile.
            assert wanted <= set(reached) <= wanted | self._answered_too(bubble["text"]) - {author}
        direct = Counter(
            self.members[each["member_id"]] for each in self.deliveries if each["kind"] == "direct"
        )
        assert direct == self.traffic.said

    def _answered_too(self, text: str) -> set[str]:
        """Everybody who answered in the thread of this answer, sooner or later."""
        return {
            name
            for asked in self.traffic.asked
            if self._head(text) in [words for _name, words in asked.answers]
            for name, _words in asked.answers
        }

    def _phones_have_each(self) -> None:
        for text, (_author, wanted) in self.expected.items():
            for name in wanted:
                assert self.place.people[name].with_words(text), f"{name} never got {text}"

    def _whatsapp_never_repeats(self) -> None:
        assert self._sent_too_often("whatsapp") == Counter()

    def _telegram_repeats_what_was_under_way(self) -> None:
        there = [each for each in self.parts if each["lane"] == LANES["telegram"]]
        repeated = [each for each in there if each["repeats"]]
        suspects = set().union(*(kill.under_way for kill in self.life.kills))
        assert {each["id"] for each in repeated} <= suspects
        self.repeats = sum(self._sent_too_often("telegram").values())
        assert self.repeats <= sum(each["repeats"] for each in repeated)

    def _sent_too_often(self, channel: str) -> Counter[str]:
        """By person: what the provider took beyond one for each part. Fewer is a loss."""
        wanted = Counter(self.members[part["member_id"]] for part in self.parts)
        found: Counter[str] = Counter()
        for person in self.place.people.values():
            if person.channel == channel:
                more = len(person.heard) - wanted[person.name]
                assert more >= 0, f"{person.name} lacks {-more} bubbles"
                found[person.name] = more
        return +found

    def _order_is_kept(self) -> None:
        """What one person asked comes to each other person in that order."""
        for person in self.place.people.values():
            for author in self.place.people:
                texts = [each.text for each in self.traffic.asked if each.author == author]
                firsts = [
                    next((n for n, b in enumerate(person.heard) if text in b.text), None)
                    for text in texts
                    if author != person.name
                ]
                came = [first for first in firsts if first is not None]
                assert came == sorted(came), f"{person.name} got {author}'s words out of order"


# The tests ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as found:
        yield found


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_kill_at_any_moment(
    database_url: str, tmp_path: Path, nursery: Nursery, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("LINKLINE_TEST_SEED") or random.randrange(10**6))
    print(f"LINKLINE_TEST_SEED={seed}")
    chance = random.Random(seed)
    on_sqlite = database_url.startswith("sqlite")
    named, at_random = (EVERYWHERE, 15) if on_sqlite else (MOST_TELLING, 5)
    with town(database_url, tmp_path, nursery) as place:
        for each in CAST:
            place.settle(*each)
        life = Life(place, [*named, *[None] * at_random], chance)
        traffic = Traffic(place, life, chance)
        life.begin()
        traffic.begin()
        until("the last kill", lambda: life.over.is_set() or traffic.failures, 300, every=0.05)
        assert life.failure is None and not traffic.failures, (life.failure, traffic.failures)
        traffic.end()
        assert not traffic.failures, traffic.failures
        until("quiet", lambda: place.store.run_now(_is_quiet), every=0.1)
        audit = Audit(place, life, traffic)
        audit.check()
        assert len(life.kills) == len(named) + at_random + 1
        assert place.complaints() == []
        assert place.leaks() == []
        print(
            f"{len(life.kills)} kills, {len(traffic.asked)} questions, "
            f"{len(audit.deliveries)} deliveries, {audit.repeats} repeated on Telegram"
        )


def _is_quiet(db: Connection) -> bool:
    waiting = deliveries.c.state.in_(("queued", "sending", "unknown"))
    going_on = messages.c.audience.is_not(None)
    return not (
        db.execute(select(deliveries.c.id).where(waiting)).first()
        or db.execute(select(messages.c.id).where(going_on)).first()
    )
