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
        """VmRSS."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024
