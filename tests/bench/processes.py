"""Processes under test: started, asked for their own CPU time and memory, stopped."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 30
STOP_SECONDS = 15
_TICK = os.sysconf("SC_CLK_TCK")


class Process:
    """`python -m <module>`; it says with one line when it is ready, and perhaps where."""

    def __init__(
        self,
        name: str,
        *command: str,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        self.name = name
        self._command = [sys.executable, "-m", *command]
        self._env = dict(os.environ if env is None else env)
        self._log = log
        self.url = ""

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        errors = None if self._log is None else self._log.open("ab")
        self._process = subprocess.Popen(
            self._command, cwd=PROJECT, env=self._env, stdin=pipe, stdout=pipe, stderr=errors
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait_until_ready(self) -> None:
        line = self._read()
        if not line:
            told = self._log.read_text(errors="replace")[-2000:] if self._log else ""
            raise RuntimeError(f"{self.name} did not start\n{told}")
        found = re.search(r"http://\S+", line)
        self.url = found[0] if found else ""

    def _read(self) -> str:
        """One line; a process that stays silent is ended."""
        giving_up = threading.Timer(START_SECONDS * 4, self._process.kill)
        giving_up.start()
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode().strip()
        giving_up.cancel()
        return line

    def ask(self, **question: Any) -> Any:
        """One line of JSON in, one line of JSON out."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        line = self._read()
        if not line:
            raise RuntimeError(f"{self.name} ended without an answer")
        return json.loads(line)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

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
