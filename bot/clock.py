"""The time. Everybody asks here, so that tests and the simulator can move it."""

from datetime import UTC, datetime, timedelta

_shift = timedelta(0)


def now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC) + _shift


def move(by: timedelta) -> None:
    """Move the clock forward; only tests and the simulator do."""
    global _shift
    _shift += by


def reset() -> None:
    """Back to the real time."""
    global _shift
    _shift = timedelta(0)
