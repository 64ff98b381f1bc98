"""`make soak`, or one part: `python -m tests.soak --part a --seed 7 --kills 20 --store sqlite`."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.child import PROJECT
from tests.soak import freezing, full_disk, killing, outage, refusing
from tests.soak.figures import Figures

STORES = ("sqlite", "postgresql")


def _killing(store: str, seed: int, given: Any) -> Figures:
    return killing.run(
        store, seed, people=given.people, kills=given.kills, rounds=given.rounds, quick=given.quick
    )


def _refusing(store: str, seed: int, given: Any) -> Figures:
    return refusing.run(store, seed, people=given.people, quick=given.quick)


def _freezing(store: str, seed: int, given: Any) -> Figures:
    return freezing.run(
        store, seed, people=min(given.people, 300), stops=given.stops, quick=given.quick
    )


def _outage(store: str, seed: int, given: Any) -> Figures:
    return outage.run(store, seed, away=given.away, quick=given.quick)


def _full_disk(store: str, seed: int, given: Any) -> Figures:
    return full_disk.run(store, seed, points=given.points)


PARTS: dict[str, Callable[[str, int, Any], Figures]] = {
    "a": _killing,
    "b": _freezing,
    "c": _refusing,
    "d": _outage,
    "e": _full_disk,
}


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=sorted(PARTS), action="append", help="all, if not given")
    parser.add_argument("--store", choices=STORES, action="append", help="both, if not given")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stops", type=int, default=12)
    parser.add_argument("--away", type=float, default=60.0, help="seconds without a database")
    parser.add_argument("--points", type=int, default=200, help="at how many writes of 200")
    parser.add_argument("--quick", action="store_true", help="the waits of the sender are shorter")
    return parser.parse_args()


def _commit() -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True).stdout.strip() or "?"


def main() -> int:
    given = _options()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}")
    found = []
    for part in given.part or sorted(PARTS):
        for store in given.store or STORES:
            figures = PARTS[part](store, seed, given)
            print(figures.told(), flush=True)
            found.append(figures)
    commit = _commit()
    print("\nFor README:")
    for figures in found:
        print(figures.row(commit))
    return 0 if all(figures.fine for figures in found) else 1


if __name__ == "__main__":
    sys.exit(main())
