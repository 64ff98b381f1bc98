"""(b) the sender: deliveries handed over per second of CPU time of a worker."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack
from statistics import median

from tests.bench import stores
from tests.bench.processes import Process
from tests.bench.rig import DATABASES, Rates, Rig, met, print_rates
from tests.bench.stores import Store

SENDS = 1000
PATIENCE = 180  # seconds for a queue to be emptied


def run(rig: Rig) -> None:
    print(f"(b) the sender: {rig.size.sends:,} deliveries a round")
    print(f"  {'sends per CPU second':<24}{'in flight':>8}{'median':>10}   (rounds)")
    rates = measure(rig)
    print_rates(rates)
    limit = median(rates["bare aiohttp", 64])
    for (name, _), found in rates.items():
        if name.startswith("linkline"):
            rate = median(found)
            bar = f"aim {SENDS:,}: {met(rate >= SENDS)}"
            print(f"  {name.rpartition(' ')[2]}: {bar}, {rate / limit:.2f} of the bare limit")


def measure(rig: Rig) -> Rates:
    """Sends a CPU second by contestant."""
    rates: Rates = defaultdict(list)
    count = rig.size.sends
    with ExitStack() as exits:
        places = [rig.store(database, "sends", count) for database in DATABASES]
        workers = [rig.linkline(exits, place, "worker") for place in places]
        poster = rig.start(exits, "bare aiohttp", "tests.bench.poster", rig.fake.url)
        time.sleep(2)  # lanes are owned, commands registered
        for number in range(rig.size.rounds):
            for place, worker in zip(places, workers, strict=True):
                spent = _drain(rig, place, worker, f"bench/{number}")
                rates[worker.name, 64].append(count / spent)
            before = poster.cpu_seconds()
            poster.ask(count=count)
            rates[poster.name, 64].append(count / (poster.cpu_seconds() - before))
    return rates


def _drain(rig: Rig, store: Store, worker: Process, key: str) -> float:
    before, cpu = _accepted(rig), worker.cpu_seconds()
    stores.queue(store, key)
    end = time.monotonic() + PATIENCE
    while _accepted(rig) - before < rig.size.sends:
        if time.monotonic() > end:
            raise TimeoutError(f"{worker.name}: the queue was not emptied")
        time.sleep(0.02)
    time.sleep(0.2)  # the last fates are written down
    spent = worker.cpu_seconds() - cpu
    if stores.count_waiting(store):
        raise RuntimeError(f"{worker.name}: something still waits")
    return spent


def _accepted(rig: Rig) -> int:
    return int(rig.fake.get("/_healthz")["accepted"])
