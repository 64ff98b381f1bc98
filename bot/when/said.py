"""What was found in a row of words about time, and the rules that find it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.when.words import Word

FAR = 731  # days ahead; nobody plans further
NOON, DAY = 12 * 60, 24 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was named; several if the words fit more than one."""

    dates: tuple[date, ...] = ()
    reason: str = ""  # why it is none: no_such_day, past
    weekday: int | None = None  # only the day of the week was named
    doubtful: bool = False  # what was said contradicts itself


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour that was named, in minutes after midnight; several if the words fit more."""

    options: tuple[int, ...] = ()
    reason: str = ""  # no_such_hour
    until: int | None = None
    sure: bool = True  # False: perhaps it is no hour, only a number
    # As it was typed, for what stands beside it: (hour, minute), and if it is of 24 hours
    typed: tuple[int, int] = (0, 0)
    whole: bool = False


@dataclass(slots=True)
class Said:
    """All that was found."""

    days: list[Day] = field(default_factory=list)
    hours: list[Hour] = field(default_factory=list)
    # dotted or joined numbers, which may be a day or an hour: (first, second, sign)
    pairs: list[tuple[int, int, str]] = field(default_factory=list)
    sides: list[int] = field(default_factory=list)  # MORNING, ...
    minutes_ahead: int | None = None  # in two hours
    vague: bool = False  # a week or a month was named, and no day of it


Read = Callable[[Said, Sequence[Word], date], None]


@dataclass(slots=True)
class Rules:
    """Ways to say something; of several that fit, the first counts."""

    ways: list[tuple[str, Read]] = field(default_factory=list)

    def __call__(self, pattern: str) -> Callable[[Read], Read]:
        """What a row of words means whose letters are like this."""

        def keep(read: Read) -> Read:
            self.ways.append((pattern, read))
            return read

        return keep


def numbers_in(words: Sequence[Word], kinds: str = "NnA") -> list[int]:
    return [each.values[0] for each in words if each.code in kinds]
