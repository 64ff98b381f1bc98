"""(a) Workers and webs are killed at random moments while everything else goes wrong too."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from bot.models import deliveries, dispatches, inbox, messages
from tests.processes import LANES, Linkline, Person, Town, deliver, until
from tests.soak import ground
from tests.soak.figures import Figures
from tests.soak.ground import Crowd

# Of a hundred calls: some must wait, some fail, some are taken and nobody hears of it.
TELEGRAM_TROUBLE = [
    {"match": {"method": "sendMessage"}, "times": -1, "share": 0.03, "status": 429,
     "retry_after": 1},
    {"match": {"method": "sendMessage"}, "times": -1, "share": 0.02, "status": 502},
    {"match": {"method": "sendMessage"}, "times": -1, "share": 0.01, "after_accept": True},
]  # fmt: skip
TWILIO_TROUBLE = [
    {"match": {"method": "POST"}, "times": -1, "share": 0.03, "status": 429},
    {"match": {"method": "POST"}, "times": -1, "share": 0.02, "status": 503},
    {"match": {"method": "POST"}, "times": -1, "share": 0.01, "after_accept": True},
    {"match": {"method": "POST"}, "times": -1, "share": 0.01, "after_accept": True, "status": 500},
]
LIVES = (0.1, 1.2)  # seconds of a life, once it is ready
TALKERS = 12
PAUSE = 2.5  # seconds between two words of a talker: more is a flood
PATIENCE = 60.0


@dataclass
class Kill:
    """What was under way at a kill: parts, with their lanes."""

    who: str
    under_way: dict[int, str]


class Talkers:
    """People who say something again and again, each word until it is taken."""

    def __init__(self, place: Town, people: list[Person], urls: list[str], seed: int) -> None:
        self.place, self.people, self.urls = place, people, urls
        self.said: Counter[str] = Counter()  # by address, what was taken
        self.failures: list[BaseException] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._talk, args=(each, random.Random(seed + n)), daemon=True)
            for n, each in enumerate(people)
        ]

    def begin(self) -> None:
        for each in self._threads:
            each.start()

    def end(self) -> None:
        self._stop.set()
        for each in self._threads:
            each.join(PATIENCE + 20)
        if any(each.is_alive() for each in self._threads):
            raise TimeoutError("somebody still waits for the bot")

    def _talk(self, person: Person, chance: random.Random) -> None:
        try:
            self._stop.wait(chance.uniform(0, PAUSE))
            for words in itertools.cycle(("/ask", "/cancel")):
                if self._stop.is_set():
                    return
                self._say(person, words, chance)
                self._stop.wait(PAUSE)
        except BaseException as error:
            self.failures.append(error)

    def _say(self, person: Person, words: str, chance: random.Random) -> None:
        """Until it is taken, and now and then once more, as both providers do."""
        packet = person.says(words)
        url = chance.choice(self.urls)
        until("a 2xx", lambda: 200 <= deliver(url, packet) < 300, PATIENCE, every=0.1)
        self.said[person.address] += 1
        if chance.random() < 0.2:
            deliver(url, packet)


@dataclass
class Killing:
    """One run."""

    place: Town
    figures: Figures
    chance: random.Random
    changes: tuple[str, ...]
    kills: list[Kill] = field(default_factory=list)

    def start(self, workers: int) -> None:
        self.web = self.place.linkline("web", changes=self.changes).start().wait_ready()
        self.workers = [
            self.place.linkline("worker", changes=self.changes).start().wait_ready()
            for _ in range(workers)
        ]
        self.place.twilio.control(deliver_callbacks_to=self.web.url)

    def kill_one(self) -> None:
        """One that is chosen by chance dies, and is started again."""
        time.sleep(self.chance.uniform(*LIVES))
        victim: Linkline = self.chance.choice([self.web, *self.workers, *self.workers])
        victim.kill()
        if victim.code != -9:
            self.figures.unexpect(f"{victim.args[0]} ended with {victim.code}")
        self.kills.append(Kill(victim.args[0], ground.under_way(self.place)))
        victim.start().wait_ready()


def run(
    store: str, seed: int, *, people: int, kills: int, rounds: int, quick: bool = False
) -> Figures:
    figures, rounds = Figures("a", store, seed), min(rounds, kills)
    begun = time.monotonic()
    with ground.ground(store) as (place, _folder):
        crowd = ground.settle(place, people)
        talkers = [ground.voice(place, crowd, n) for n in range(min(TALKERS, people))]
        _trouble(place, seed)
        changes = ("soak quickly",) if quick else ()
        killing = Killing(place, figures, random.Random(seed), changes)
        killing.start(workers=2)
        traffic = Talkers(place, talkers, [killing.web.url], seed)
        traffic.begin()
        for number in range(kills):
            if number % max(1, kills // rounds) == 0 and number // max(1, kills // rounds) < rounds:
                ground.tell_all(place, _words(number // max(1, kills // rounds)))
            killing.kill_one()
        traffic.end()
        for error in traffic.failures:
            figures.unexpect(f"a talker: {error}")
        ground.wait_quiet(place, 120 + people * rounds / 10)
        _count(place, figures, crowd, killing, traffic, rounds)
    figures.notes.append(f"took {time.monotonic() - begun:.0f} s")
    return figures


def _words(number: int) -> str:
    return f"zebra round {number}."


def _trouble(place: Town, seed: int) -> None:
    """Answers take their time, and some are bad; what became of it is told late and twice."""
    place.telegram.control(seed=seed, latency=[0.002, 0.08], fail=TELEGRAM_TROUBLE)
    place.twilio.control(
        seed=seed + 1,
        latency=[0.002, 0.08],
        fail=TWILIO_TROUBLE,
        callback_delay=0.3,
        callback_repeat=2,
        callback_shuffle=True,
    )


# Counting ---------------------------------------------------------------------------------------


def _count(
    place: Town, figures: Figures, crowd: Crowd, killing: Killing, traffic: Talkers, rounds: int
) -> None:
    got = ground.taken(place)
    _count_rounds(figures, crowd, got, rounds)
    _count_talk(place, figures, got, traffic)
    _count_repeats(place, figures, killing)
    for (state, reason), count in ground.states(place).items():
        if state not in ground.SETTLED:
            figures.unexpect(f"{count} deliveries {state} ({reason})", count)
    figures.notes += _repeated_after(place)
    figures.unexpect("complaints of the providers", len(place.complaints()))
    figures.unexpect("people or secrets in the logs", len(place.leaks()))
    who = Counter(each.who for each in killing.kills)
    figures.what = (
        f"{len(crowd):,} people, {rounds} rounds, {len(killing.kills)} kills"
        f" ({who['worker']} of workers, {who['web']} of webs), {sum(traffic.said.values())} words"
    )


def _count_rounds(
    figures: Figures, crowd: Crowd, got: dict[str, Counter[str]], rounds: int
) -> None:
    """Each round comes to each person once; what more may come to Telegram is counted apart."""
    for channel, address in crowd.addresses:
        mine = got.get(address, Counter())
        for number in range(rounds):
            count = sum(n for text, n in mine.items() if _words(number) in text)
            figures.lose(f"a round never came to somebody on {channel}", int(count == 0))
            if channel == "whatsapp" and count > 1:
                figures.repeat(f"a round came {count} times on WhatsApp", count - 1)
            figures.allowed += max(0, count - 1) if channel == "telegram" else 0


def _repeated_after(place: Town) -> list[str]:
    """For whoever looks for the reason: how long after the first one WhatsApp got the second."""
    came: dict[tuple[str, str], list[float]] = {}
    for each in place.entries:
        if each["method"] == "POST" and each["status"] == 201 and "zebra" in each["fields"]["Body"]:
            came.setdefault((each["to"], each["fields"]["Body"]), []).append(each["at"])
    gaps = sorted(max(each) - min(each) for each in came.values() if len(each) > 1)
    return [f"WhatsApp repeated after {gaps[0]:.1f} to {gaps[-1]:.1f} s"] if gaps else []


def _count_talk(
    place: Town, figures: Figures, got: dict[str, Counter[str]], traffic: Talkers
) -> None:
    """Each word is in the store once and is answered once."""
    held = place.store.run_now(lambda db: db.execute(select(func.count(inbox.c.id))).scalar_one())
    said = sum(traffic.said.values())
    figures.lose("words that were taken and are not in the store", max(0, said - held))
    figures.unexpect("words that nobody said", max(0, held - said))
    parts = place.store.run_now(_direct_parts)
    figures.lose("words without an answer", max(0, said - sum(parts.values())))
    figures.unexpect("answers to nothing", max(0, sum(parts.values()) - said))
    for person in traffic.people:
        wanted = traffic.said[person.address]
        mine = got.get(person.address, Counter())
        count = sum(n for text, n in mine.items() if "zebra" not in text)
        figures.lose(f"{wanted - count} answers on {person.channel}", max(0, wanted - count))
        if person.channel == "whatsapp":
            figures.repeat("answers on WhatsApp", max(0, count - wanted))
        else:
            figures.allowed += max(0, count - wanted)


def _direct_parts(db: Connection) -> Counter[int]:
    statement = (
        select(deliveries.c.member_id, func.count())
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(messages.c.kind == "direct")
        .group_by(deliveries.c.member_id)
    )
    return Counter({member: count for member, count in db.execute(statement)})


def _count_repeats(place: Town, figures: Figures, killing: Killing) -> None:
    """On Telegram no more than was under way at the kills, and than answers that got lost."""
    lane = LANES["telegram"]
    stood = sum(list(each.under_way.values()).count(lane) for each in killing.kills)
    unheard = sum(
        1
        for each in place.entries
        if each["lost"] and each["method"] == "sendMessage" and each["status"] == 200
    )
    repeats = figures.allowed
    figures.repeat("more on Telegram than was under way", max(0, repeats - stood - unheard))
    figures.notes.append(
        f"Telegram: {repeats} repeated; {stood} stood as sending at the kills,"
        f" {unheard} answers got lost"
    )
    suspects = {id_ for each in killing.kills for id_ in each.under_way}
    settled = select(dispatches.c.id).where(dispatches.c.state.in_(ground.SETTLED))
    over = set(place.store.run_now(lambda db: db.execute(settled).scalars().all()))
    figures.recovered = len(suspects & over)
    figures.lose("parts that were under way and are not settled", len(suspects - over))
