"""Were limits and waits kept? Read from what a provider wrote down, by the moment a call came.

A provider that a process of ours calls sees the calls a little closer together or further apart
than they left: by so much the stretch looked at is shorter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from bot.messages import Rate

JITTER = 0.15  # seconds
IN_FLIGHT = 0.3  # seconds in which a call that left before the refusal was read may still come

Entry = dict[str, Any]
SENDS = ("sendMessage", "sendPhoto", "sendDocument", "POST")


def sends(entries: Iterable[Entry]) -> list[Entry]:
    """Calls that say something to somebody, by the moment they came, refused ones too."""
    found = [each for each in entries if each["method"] in SENDS and each["to"]]
    return sorted(found, key=lambda each: float(each["came"]))


def most_within(moments: Sequence[float], seconds: float) -> int:
    """The largest number of these moments, which are in order, in any stretch of this length."""
    most = start = 0
    for end, moment in enumerate(moments):
        while moment - moments[start] >= seconds:
            start += 1
        most = max(most, end - start + 1)
    return most


def over(moments: Sequence[float], rate: Rate, jitter: float = JITTER) -> int:
    """By how many the fullest stretch is over the limit."""
    return max(0, most_within(moments, max(rate.seconds - jitter, 0.01)) - rate.count)


def breaches(entries: Iterable[Entry], rate: Rate | None, chat_rate: Rate | None) -> list[str]:
    """Where a lane's limits were broken, overall and to one person."""
    calls = sends(entries)
    found = []
    if rate is not None and (more := over([each["came"] for each in calls], rate)):
        found.append(f"{more} over {rate.count} in {rate.seconds} s")
    by_chat: dict[str, list[float]] = defaultdict(list)
    for each in calls:
        by_chat[each["to"]].append(each["came"])
    for moments in by_chat.values():
        if chat_rate is not None and (more := over(moments, chat_rate)):
            found.append(f"{more} over {chat_rate.count} in {chat_rate.seconds} s to one person")
    return found


def too_early(entries: Iterable[Entry]) -> list[str]:
    """Calls to a person before the wait ended that the provider asked for, for her or for all."""
    found: list[str] = []
    waits: dict[str, float] = {}  # until when, by person; "" is everybody
    read: dict[str, float] = {}  # from when on a refusal counts as read
    for each in _as_they_happened(entries):
        moment, kind, entry = each
        person = entry["to"]
        if kind == "refused":
            whom = "" if entry.get("whole") else person
            waits[whom] = max(waits.get(whom, 0.0), moment + entry["retry_after"])
            read.setdefault(whom, 0.0)
            read[whom] = moment + (IN_FLIGHT if whom == "" else 0.0)
            continue
        for whom, grace in (("", True), (person, False)):
            early = waits.get(whom, 0.0) - moment
            if early > 0.01 and (not grace or moment > read[whom]):
                who = "a person" if whom else "anybody"
                found.append(f"{early:.2f} s before the wait for {who} was over")
    return found


def _as_they_happened(entries: Iterable[Entry]) -> list[tuple[float, str, Entry]]:
    """Each call when it came, each refusal when it was said."""
    happened: list[tuple[float, str, Entry]] = []
    for each in sends(entries):
        happened.append((each["came"], "came", each))
        if each.get("retry_after"):
            happened.append((each["at"], "refused", each))
    return sorted(happened, key=lambda each: each[0])
