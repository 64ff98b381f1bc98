"""`python -m tests.language [--update]`: check the language; first take new sentences in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.language.catalogues import update
from tests.language.findings import check

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """0 if there is nothing to find; 1 with one line per finding."""
    if set(arguments) - {"--update"}:
        print(__doc__)
        return 2
    if "--update" in arguments:
        for line in update(root):
            print(line)
    report = check(root)
    for finding in report.findings:
        print(finding)
    print(report.summary)
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
