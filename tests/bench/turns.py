"""(a) webhook to committed turn to reply sent, beside a peer and the bare limit; (c) memory.

Rates are per second of CPU time of the process under test alone, medians over rounds that take
turns with each other, because the machine is noisy. Fakes, load and PostgreSQL run elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from contextlib import ExitStack
from statistics import median

from tests.bench import statements, stores
from tests.bench.cast import OPENING, WRONG_CHOICE
from tests.bench.processes import Process
from tests.bench.rig import DATABASES, Rates, Rig, met, print_rates
from tests.bench.statements import MEASURED, Counted

ECHO_RATIO, MOST_STATEMENTS, MOST_MB = 1.5, 10, 150

Resident = dict[str, tuple[float, float]]


def run(rig: Rig) -> None:
    rates, resident = measure(rig)
    _print_turns(rates)
    _print_statements(_count_statements(rig))
    _print_resident(resident)


def measure(rig: Rig) -> tuple[Rates, Resident]:
    """Replies a CPU second by contestant and concurrency; memory before and after."""
    rates: Rates = defaultdict(list)
    most = max(rig.size.updates.values())
    with ExitStack() as exits:
        load = rig.start(exits, "load", "tests.bench.load")
        places = [rig.store(database, "turns", most) for database in DATABASES]
        ours = [rig.linkline(exits, place, "run") for place in places]
        time.sleep(1)  # commands and webhook are being registered
        at_start = [each.resident_mb() for each in ours]
        contestants = [*ours, *_others(rig, exits, str(most))]
        for each in contestants:
            _cost(rig, load, each, OPENING, 16, most)
        for _ in range(rig.size.rounds):
            for concurrency, updates in rig.size.updates.items():
                for each in contestants:
                    spent = _cost(rig, load, each, WRONG_CHOICE, concurrency, updates)
                    rates[each.name, concurrency].append(updates / spent)
        pairs = zip(ours, at_start, strict=True)
        return rates, {each.name: (before, each.resident_mb()) for each, before in pairs}


def _others(rig: Rig, exits: ExitStack, count: str) -> list[Process]:
    bare, fake = "tests.bench.bare", rig.fake.url
    sqlite = stores.sqlite_url(rig.folder, "bare")
    postgresql = stores.postgresql_url(rig.server, "bare")
    return [
        rig.start(exits, "bare, SQLite", bare, sqlite, fake, count),
        rig.start(exits, "bare, PostgreSQL", bare, postgresql, fake, count),
        rig.start(exits, "echo bot", "tests.bench.echo", fake),
    ]


def _cost(
    rig: Rig, load: Process, process: Process, text: str, concurrency: int, count: int
) -> float:
    """CPU seconds that the process spent on so many updates."""
    before = process.cpu_seconds()
    rig.load(load, process, text, concurrency, count)
    time.sleep(0.1)  # the last fate is written down
    return process.cpu_seconds() - before


def _count_statements(rig: Rig) -> list[Counted]:
    return asyncio.run(statements.count(rig.store("SQLite", "count", 3)))


def _print_turns(rates: Rates) -> None:
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


def _print_statements(counted: list[Counted]) -> None:
    print("  statements                      turn  its sends")
    for each in counted:
        bar = f"   (aim {MOST_STATEMENTS}: {met(each.turn <= MOST_STATEMENTS)})"
        print(f"    {each.where:<30}{each.turn:>4}{each.sender:>8}{bar}")


def _print_resident(resident: Resident) -> None:
    print("(c) resident memory")
    for name, (start, after) in resident.items():
        bar = f"aim below {MOST_MB}: {met(max(start, after) < MOST_MB)}"
        print(f"  {name:<28}{start:>6.0f} MB at the start, {after:.0f} MB after (a)   ({bar})")
