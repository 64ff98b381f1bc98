"""What must stand in no log: names, numbers, chat ids, tokens and words of the people in a test.

The stages enter their people here; tests/conftest.py logs all of every test at DEBUG and looks for
them when it is over.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from bot import logs

SHORT = 8  # letters; what is shorter counts only as a whole word
# Words that people write and logs may hold: commands, labels, names of steps.
_PLAIN = re.compile(r"[\w /!?.-]{0,15}", re.ASCII)
_STAMP = re.compile(r"^timestamp=\S+ ")  # the hour in it is nobody's
_LAO, _KHMER = ({ord("0") + n: chr(zero + n) for n in range(10)} for zero in (0x0ED0, 0x17E0))


class Canaries:
    """Those of the test that runs."""

    def __init__(self) -> None:
        self.marks: set[str] = set()

    def clear(self) -> None:
        self.marks.clear()

    def person(self, *marks: str) -> None:
        """A name, a number, a chat id, a token; in Lao and Khmer digits too."""
        for mark in filter(None, marks):
            self.marks |= {mark, mark.translate(_LAO), mark.translate(_KHMER)}

    def words(self, text: str) -> None:
        """What somebody wrote, unless it is a command or a label."""
        if not _PLAIN.fullmatch(text):
            self.person(text)

    def found_in(self, written: str) -> set[str]:
        return {mark for mark in self.marks if _holds(written, mark)}


def _holds(written: str, mark: str) -> bool:
    if mark not in written:
        return False
    if len(mark) >= SHORT:
        return True
    return re.search(rf"(?<!\w){re.escape(mark)}(?!\w)", written) is not None


canaries = Canaries()


class Overheard:
    """Every line that is logged while a test runs, whatever level it asks for itself."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.loud = False  # the test has asked for logs, and reads them

    def install(self, monkeypatch: Any, level: str | None) -> None:
        """All of ours, and that any library has complained, at any level."""
        configure: Callable[[str], None] = logs.configure
        overheard = self

        class Lines(logs._Lines):
            def msg(self, line: str) -> None:
                overheard.lines.append(_STAMP.sub("", line))
                if overheard.loud:
                    super().msg(line)

            debug = info = warning = error = critical = msg

        def configured(wanted: str = "INFO") -> None:
            overheard.loud = True
            configure(wanted)

        monkeypatch.setattr(logs, "_Lines", Lines)
        configure(level or "DEBUG")
        self.loud = level is not None
        monkeypatch.setattr(logs, "configure", configured)
        # Each statement would be written down: it holds no values, and would take its time.
        logging.getLogger().setLevel(logging.DEBUG)
        for name in ("sqlalchemy", "asyncio", "faker"):
            logging.getLogger(name).setLevel(logging.WARNING)
