"""The cell: a process of its own that reads one file, writes what is clean of it, and ends.

It gets the file on standard input and says on standard output one line of JSON, then the content.
It is given no setting, no key and no name of anybody; `python -c` starts it, see cleaning.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bot.media import confine
from bot.media.unfit import Unfit

MEMORY = 400 << 20  # bytes of address space, a third of which is Python and its libraries
SECONDS = 30  # of computing


@dataclass(frozen=True, slots=True)
class Clean:
    """What is left of a file: fit to be kept and handed on."""

    content: bytes
    mime: str
    milliseconds: int | None = None  # how long it sounds


def begin() -> None:
    """First of all, before the libraries are read."""
    confine.limit(MEMORY, SECONDS)


def run(clean: Callable[[bytes], Clean], samples: Iterable[bytes]) -> None:
    """Whatever happens inside is the file's fault: there is nothing else in here.

    The libraries read some of their own files only when they are needed, which is too late behind
    the lock; so something harmless of ours is cleaned first.
    """
    for sample in samples:
        with contextlib.suppress(Unfit):
            clean(sample)
    raw = sys.stdin.buffer.read()
    locked = confine.lock()
    try:
        found = clean(raw)
        _answer(found.content, mime=found.mime, milliseconds=found.milliseconds, locked=locked)
    except Unfit as error:
        _answer(unfit=error.reason)
    except MemoryError:
        _answer(unfit="bomb")
    except Exception:
        _answer(unfit="broken")
    os._exit(0)  # the libraries' own endings are not needed


def _answer(content: bytes = b"", **fields: Any) -> None:
    sys.stdout.buffer.write(json.dumps(fields).encode() + b"\n" + content)
    sys.stdout.buffer.flush()
