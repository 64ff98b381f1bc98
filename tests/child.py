"""A child process that says with its first line that it is ready, and may be asked things."""

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

PROJECT = Path(__file__).resolve().parents[1]
START_SECONDS = 120
PATIENCE = 90.0  # seconds: a machine of CI may be slow, and have much else to do
ANSWER_SECONDS = 180
STOP_SECONDS = 15


class Child:
    """`python -m <command>` for as long as the `with` block lasts."""

    ends_with_input = True  # else it is told to stop by a signal

    def __init__(
        self,
        name: str,
        *command: str,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        self.name = name
        self.url = ""  # where it listens, if it said so
        self._command = [sys.executable, "-m", *command]
        self._env = dict(os.environ if env is None else env)
        self._log = log
        self._asking = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        pipe = subprocess.PIPE
        errors = None if self._log is None else self._log.open("ab")
        self._process = subprocess.Popen(
            self._command, cwd=PROJECT, env=self._env, stdin=pipe, stdout=pipe, stderr=errors
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self._process.kill()
            self.stop()
            raise

    def _wait_until_ready(self) -> None:
        line = self._read(START_SECONDS)
        if not line:
            told = self._log.read_text(errors="replace")[-2000:] if self._log else ""
            raise RuntimeError(f"{self.name} did not start\n{told}")
        found = re.search(r"http://\S+", line)
        self.url = found[0] if found else ""

    def _read(self, seconds: float) -> str:
        """One line; a process that stays silent is ended."""
        giving_up = threading.Timer(seconds, self._process.kill)
        giving_up.start()
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode().strip()
        giving_up.cancel()
        return line

    def ask(self, **question: Any) -> Any:
        """One line of JSON in, one line of JSON out."""
        assert self._process.stdin is not None
        with self._asking:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
            line = self._read(ANSWER_SECONDS)
        if not line:
            raise RuntimeError(f"{self.name} ended without an answer")
        return json.loads(line)

    def stop(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        if not self.ends_with_input:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
