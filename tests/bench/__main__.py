"""`make bench`: what a turn, a send and a process cost, beside a peer and the bare limit.

Letters choose parts: `python -m tests.bench d g`; without any, all of them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench import (
    backlog,
    checks,
    fanout,
    history,
    latency,
    reminding,
    rhythm,
    sealing,
    sends,
    trees,
    turns,
    voices,
)
from tests.bench.rig import FULL, QUICK, Rig

PARTS = {
    "a": turns.run,  # and c, the memory of its processes
    "b": sends.run,
    "d": fanout.run,
    "e": latency.run,
    "f": history.run,
    "g": sealing.run,
    "h": checks.run,
    "i": backlog.run,
    "j": rhythm.run,
    "k": reminding.run,
    "t": trees.run,
    "v": voices.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {' '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="less of everything, two minutes")
    given = parser.parse_args()
    if unknown := set(given.parts) - PARTS.keys():
        parser.error(f"no part {' '.join(sorted(unknown))}; there are {' '.join(PARTS)}")
    size = QUICK if given.quick else FULL
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as exits:
        rig = Rig(size, Path(folder), exits)
        for part in given.parts or PARTS:
            PARTS[part](rig)
    print(f"{time.monotonic() - begun:.0f} seconds, {size.rounds} rounds")


if __name__ == "__main__":
    main()
