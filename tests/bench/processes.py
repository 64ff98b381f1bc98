"""Processes under test: asked for their own CPU time and memory."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.child import Child

_TICK = os.sysconf("SC_CLK_TCK")


class Process(Child):
    """A server, or a part of the bench."""

    ends_with_input = False

    def cpu_seconds(self) -> float:
        """User and system time of the process and its threads, without its children."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICK

    def resident_mb(self) -> float:
        return _mb(self._process.pid, "VmRSS")

    def most_mb(self) -> float:
        """The most it ever held."""
        return _mb(self._process.pid, "VmHWM")

    def most_of_children_mb(self) -> float:
        """The most that one of those held that it has now."""
        tasks = Path(f"/proc/{self._process.pid}/task").iterdir()
        pids = [pid for each in tasks for pid in _read(each / "children").split()]
        return max((_mb(int(pid), "VmHWM") for pid in pids), default=0.0)


def _mb(pid: int, what: str) -> float:
    """0 for one that has just ended."""
    found = re.search(rf"{what}:\s+(\d+) kB", _read(Path(f"/proc/{pid}/status")))
    return 0.0 if found is None else int(found[1]) / 1024


def _read(path: Path) -> str:
    """Nothing of a process, or a thread, that has just ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
