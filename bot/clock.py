"""The time. Everybody asks here, so that tests and the simulator can move it."""

import time
from datetime import UTC, datetime, timedelta

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_shift = timedelta(0)
_stands_at: datetime | None = None


def now() -> datetime:
    """The present moment, aware, UTC."""
    return (_stands_at or datetime.now(UTC)) + _shift


def steady() -> float:
    """Seconds of a clock that nobody moves, and that goes on while the machine sleeps."""
    return time.clock_gettime(_STEADY)


def move(by: timedelta) -> None:
    """Move the clock forward; only tests and the simulator do."""
    global _shift
    _shift += by


def reset(shift: timedelta = timedelta(0)) -> None:
    """Back to the real time, or to what it was moved by before."""
    global _shift, _stands_at
    _shift, _stands_at = shift, None


def moved() -> timedelta:
    """How far it was moved."""
    return _shift


def stand() -> None:
    """No time passes until go_on(), but by move(); while the simulator plays a transcript."""
    global _stands_at
    _stands_at = _stands_at or datetime.now(UTC)


def go_on() -> None:
    """Time passes again, from where it stood."""
    global _shift, _stands_at
    if _stands_at is not None:
        _shift -= datetime.now(UTC) - _stands_at
        _stands_at = None


def stands() -> bool:
    return _stands_at is not None
