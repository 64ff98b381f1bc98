"""(c) A third of all calls is refused for a while, and now and then everything: who waits well?"""

from __future__ import annotations

import random
import time
from typing import Any

from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from tests.processes import Town
from tests.soak import ground, rates
from tests.soak.figures import Figures

# A tenth of what is left each time: 27 of a hundred for one person, and 3 of them by its pair rate.
TELEGRAM = [
    {"match": {"method": "sendMessage"}, "times": -1, "share": 0.11, "status": 429,
     "retry_after": seconds}
    for seconds in (1, 2, 3)
]  # fmt: skip
TWILIO = [
    {"match": {"method": "POST"}, "times": -1, "share": 0.11, "status": 429, "retry_after": 1},
    {"match": {"method": "POST"}, "times": -1, "share": 0.11, "status": 429, "retry_after": 1,
     "body": {"code": 63018, "message": "Rate limit exceeded", "status": 429}},
    {"match": {"method": "POST"}, "times": -1, "share": 0.11, "status": 429, "retry_after": 2},
]  # fmt: skip
EVERYBODY = {"match": {"method": "sendMessage"}, "status": 429, "retry_after": 6, "whole": True}
BETWEEN = (4.0, 9.0)  # seconds between two waits for everybody


def run(store: str, seed: int, *, people: int, quick: bool = False) -> Figures:
    figures, begun = Figures("c", store, seed), time.monotonic()
    with ground.ground(store) as (place, _folder):
        crowd = ground.settle(place, people)
        place.twilio.control(seed=seed, latency=[0.002, 0.05], fail=TWILIO)
        # With the same seed both would be lucky at once.
        place.telegram.control(seed=seed + 1, latency=[0.002, 0.05], fail=TELEGRAM)
        changes = ("soak quickly",) if quick else ()
        place.linkline("worker", changes=changes).start().wait_ready()
        ground.tell_all(place, "zebra round 0.")
        waits = _refuse_everybody(place, random.Random(seed), 240 + people / 5)
        _count(place, figures, crowd, waits)
    figures.notes.append(f"took {time.monotonic() - begun:.0f} s")
    return figures


def _refuse_everybody(place: Town, chance: random.Random, seconds: float) -> int:
    """Again and again, a third of the time, until all is said; how often that was."""
    waits, begun = 0, time.monotonic()
    first, last, end = begun + 1.0, begun + seconds / 3, begun + seconds
    while ground.count_waiting(place):
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds:.0f} s something waits: {ground.waiting(place)}")
        if first < time.monotonic() < last:  # what was refused often is tried again late
            place.telegram.control(fail=[EVERYBODY, *TELEGRAM])
            waits += 1
            first = time.monotonic() + EVERYBODY["retry_after"] + chance.uniform(*BETWEEN)  # type: ignore[operator]
        time.sleep(0.2)
    return waits


def _count(place: Town, figures: Figures, crowd: ground.Crowd, waits: int) -> None:
    got = ground.taken(place)
    for channel, address in crowd.addresses:
        count = sum(got.get(address, {}).values())
        figures.lose(f"it never came to somebody on {channel}", int(count == 0))
        figures.repeat(f"it came {count} times on {channel}", max(0, count - 1))
    refused = 0
    for channel, entries in _by_channel(place.entries):
        for each in rates.too_early(entries):
            figures.unexpect(f"{channel.name}: {each}")
        for each in rates.breaches(entries, channel.limits.rate, channel.limits.chat_rate):
            figures.unexpect(f"{channel.name}: {each}")
        refused += sum(1 for each in entries if each["status"] == 429)
        calls = rates.sends(entries)
        came = [each["came"] for each in calls]
        figures.notes.append(
            f"{channel.name}: {len(calls):,} calls, {sum(e['status'] == 429 for e in calls):,}"
            f" refused, at most {rates.most_within(came, 1.0)} in one second"
        )
    for (state, reason), count in ground.states(place).items():
        if state not in ground.SETTLED:
            figures.unexpect(f"{count} deliveries {state} ({reason})", count)
    figures.unexpect("complaints of the providers", len(place.complaints()))
    figures.recovered = refused
    figures.what = f"{len(crowd):,} people, {refused:,} refusals, {waits} waits for everybody"


def _by_channel(entries: list[Any]) -> list[tuple[Any, list[Any]]]:
    theirs = {Telegram: [], WhatsApp: []}  # type: ignore[var-annotated]
    for each in entries:
        theirs[WhatsApp if each["path"].startswith("/2010") else Telegram].append(each)
    return list(theirs.items())
