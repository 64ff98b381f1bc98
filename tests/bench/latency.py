"""(e) how long from the webhook to the provider's door, with the sender here or elsewhere."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from tests.bench.cast import OPENING, WRONG_CHOICE
from tests.bench.processes import Process
from tests.bench.rig import DATABASES, Rig, met
from tests.bench.stores import Store

MOST_MS = {"the same process": 100, "another process": 500}
COMMANDS = {"the same process": ("run",), "another process": ("web", "worker")}
MOST_IDLE = 2  # per cent of a core that a worker takes while nothing happens
IDLE_SECONDS = 4


@dataclass
class Place:
    """A store with the processes that serve it."""

    store: Store
    where: str  # the sender is
    servers: list[Process]


def run(rig: Rig) -> None:
    print("(e) from the webhook to the provider, in ms; idle, and at half the throughput of (a)")
    phones = max(rig.size.updates[16], rig.size.half, rig.size.idle)
    for database in DATABASES:
        half = 0.0
        for where, commands in COMMANDS.items():
            with ExitStack() as exits:
                store = rig.store(database, f"latency_{len(commands)}", phones)
                servers = [rig.linkline(exits, store, command) for command in commands]
                time.sleep(2)  # lanes are owned, commands registered
                if where == "another process":
                    _print_idle(database, servers[-1])
                load = rig.start(exits, "load", "tests.bench.load")
                rig.load(load, servers[0], OPENING, 16, phones)
                half = half or _throughput(rig, load, servers[0]) / 2
                _measure(rig, Place(store, where, servers), half)


def _throughput(rig: Rig, load: Process, server: Process) -> float:
    count = rig.size.updates[16]
    return count / median(rig.load(load, server, WRONG_CHOICE, 16, count) for _ in range(3))


def _measure(rig: Rig, place: Place, half: float) -> None:
    pace = random.Random(1)  # everywhere the same
    with ExitStack() as exits:
        phones = rig.start(exits, "phones", "tests.bench.pace")
        for name, count, pause in (
            ("idle", rig.size.idle, lambda: pace.uniform(0.1, 0.3)),
            (f"{half:.0f} a second", rig.size.half, lambda: pace.expovariate(half)),
        ):
            rounds = []
            for _ in range(rig.size.rounds):
                pauses = [pause() for _ in range(count)]
                rounds.append(sorted(_latencies(rig, phones, place.servers[0], pauses)))
            p50, p95 = (
                1000 * median(took[int(count * part)] for took in rounds) for part in (0.5, 0.95)
            )
            most = MOST_MS[place.where]
            print(
                f"  {place.store.name + ', ' + place.where:<30}{name:>15}: p50 {p50:>4.0f},"
                f" p95 {p95:>4.0f} (aim {most}: {met(p95 < most)})"
            )


def _latencies(rig: Rig, phones: Process, server: Process, pauses: list[float]) -> list[float]:
    before = rig.fake.get("/_healthz")["requests"]
    posted = phones.ask(url=server.url, text=WRONG_CHOICE, pauses=pauses)
    arrived: dict[str, float] = {}
    end = time.monotonic() + 30
    while len(arrived) < len(posted):
        if time.monotonic() > end:
            raise TimeoutError("replies are missing")
        time.sleep(0.2)
        sent = [each for each in rig.fake.history(before) if each["method"] == "sendMessage"]
        arrived = {each["to"]: each["at"] for each in sent}
    return [arrived[chat] - at for chat, at in posted.items()]


def _print_idle(database: str, worker: Process) -> None:
    """A worker with nothing to do looks and listens all the same."""
    before = worker.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    share = (worker.cpu_seconds() - before) / IDLE_SECONDS * 100
    bar = f"aim {MOST_IDLE}: {met(share < MOST_IDLE)}"
    print(f"  {database}: an idle worker takes {share:.1f} % of a core ({bar})")
