"""Logs without people: only fields on the allow-list are written, everything else is dropped."""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

# What may be said in a log. No names, numbers, chat ids, tokens or texts of people.
ALLOWED = frozenset(
    [
        "event",
        "level",
        "timestamp",
        "logger",
        "lane",
        "kind",
        "error",
        "where",
        "step",
        "count",
        "seconds",
        "job",
        "state",
        "setting",
        "reason",
        "code",
        "status",
        "address",
        "version",
    ]
)


def _allow(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if name in ALLOWED}


def configure(level: str = "INFO") -> None:
    """One line per event on standard error; other libraries only from WARNING, without details."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _allow,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Foreign()], level=logging.WARNING, force=True)


class _Lines:
    """Standard error; a full disk behind it must not stop a turn."""

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")

    debug = info = warning = error = critical = msg


class _Foreign(logging.Handler):
    """Other libraries may put addresses and tokens into their messages: say only who complained."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        get(record.name).warning(
            "library_warning",
            reason=record.name,
            state=record.levelname,
            error=error,
            where=f"{record.module}:{record.lineno}",
        )


def get(name: str) -> Any:
    return structlog.get_logger(name)


def where(error: BaseException) -> str:
    """File and line of an error, without its text, which may quote a person."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        frame for frame in frames if "/bot/" in frame.filename or "/handlers/" in frame.filename
    ]
    return " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(ours[-4:])
    )
