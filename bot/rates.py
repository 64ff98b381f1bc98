"""Rates: how many calls a provider takes in a stretch of time, from us and to one chat.

A call counts from the moment it was answered, and at the latest a second after it left: so at the
provider, too, no stretch holds more calls than it allows, however long each was on its way.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable

from bot.messages import Limits, Rate

SWEPT = 5.0  # seconds between looks at whom nobody writes to any more
ON_ITS_WAY = 1.0  # seconds after which a call without an answer has surely arrived, or never will


class Calls:
    """The calls to one chat, or all of a lane: when they arrived, or that they are on their way."""

    __slots__ = ("_arrived", "_left", "lasts")

    def __init__(self, lasts: float = 0.0) -> None:
        self.lasts = lasts  # seconds after which a call does not count any more
        self._arrived: list[float] = []  # in order
        self._left: dict[int, float] = {}  # by number, when it left

    def start(self, number: int, now: float) -> None:
        self._left[number] = now

    def end(self, number: int, now: float) -> None:
        left = self._left.pop(number, None)
        if left is not None:  # else it has been counted
            self.add(min(now, left + ON_ITS_WAY))

    def add(self, at: float) -> None:
        """One that arrived then."""
        insort(self._arrived, at)

    def count(self, seconds: float, now: float) -> int:
        """Those on their way, and those that arrived within so many seconds."""
        self._land(now)
        del self._arrived[: bisect_right(self._arrived, now - seconds)]
        return len(self._left) + len(self._arrived)

    def wait(self, rate: Rate, now: float) -> float:
        """Seconds until one more fits; 0 = now."""
        over = self.count(rate.seconds, now) - rate.count + 1
        if over <= 0:
            return 0.0
        if over > len(self._arrived):
            return 0.01  # some of those on their way must arrive first
        return self._arrived[over - 1] + rate.seconds - now

    def _land(self, now: float) -> None:
        late = [number for number, left in self._left.items() if left <= now - ON_ITS_WAY]
        for number in late:
            self.end(number, now)


class Meters:
    """Those of one lane, in seconds of a clock that nobody moves."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all = Calls()
        self._chats: dict[int, Calls] = {}  # by address
        self._number = 0
        self._swept = 0.0

    def remember(self, calls: Iterable[tuple[int, float]]) -> None:
        """Calls of an earlier owner of the lane: (address, when)."""
        for address_id, at in sorted(calls, key=lambda each: each[1]):
            self._all.add(at)
            self._chats.setdefault(address_id, Calls(self.longest)).add(at)

    @property
    def longest(self) -> float:
        """Seconds after which a call does not count any more."""
        rates = (self._limits.rate, self._limits.chat_rate, self._limits.group_rate)
        return max((each.seconds for each in rates if each is not None), default=0.0)

    def room(self, most: int, now: float) -> int:
        """How many calls fit now, at most so many."""
        rate = self._limits.rate
        return most if rate is None else min(most, rate.count - self._all.count(rate.seconds, now))

    def wait_for_all(self, now: float) -> float:
        """Seconds until one more call fits, to whomever; 0 = now."""
        return 0.0 if self._limits.rate is None else self._all.wait(self._limits.rate, now)

    def wait(self, address_id: int, to: str, now: float) -> float:
        """Seconds until one more call to this chat fits; 0 = now."""
        rate, calls = self._rate_of(to), self._chats.get(address_id)
        here = 0.0 if rate is None or calls is None else calls.wait(rate, now)
        return max(here, self.wait_for_all(now))

    def _rate_of(self, to: str) -> Rate | None:
        groups = self._limits.groups
        in_group = groups is not None and to.startswith(groups)
        return self._limits.group_rate if in_group else self._limits.chat_rate

    def is_busy(self, address_id: int, to: str, now: float) -> bool:
        """Whether this chat got as much lately as its own rate allows."""
        calls, rate = self._chats.get(address_id), self._rate_of(to)
        return (
            calls is not None and rate is not None and calls.count(rate.seconds, now) >= rate.count
        )

    def start(self, address_id: int, to: str, now: float) -> int:
        """A call leaves; its number."""
        self._sweep(now)
        self._number += 1
        self._all.start(self._number, now)
        rate = self._rate_of(to)
        if rate is not None:
            if address_id not in self._chats:
                self._chats[address_id] = Calls(rate.seconds)
            self._chats[address_id].start(self._number, now)
        return self._number

    def end(self, address_id: int, number: int, now: float) -> None:
        """It was answered, or broke off."""
        self._all.end(number, now)
        if address_id in self._chats:
            self._chats[address_id].end(number, now)

    def _sweep(self, now: float) -> None:
        """Chats that nobody writes to any more are not remembered."""
        if now < self._swept + SWEPT:
            return
        self._swept = now
        self._all.count(self.longest, now)
        quiet = [id_ for id_, calls in self._chats.items() if not calls.count(calls.lasts, now)]
        for id_ in quiet:
            del self._chats[id_]
