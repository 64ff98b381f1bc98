"""Lists in one bubble: lines whose words are gone are left out, what is too long is only named."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Protocol

from bot.i18n import render, units
from bot.messages import Listing, Message, Ref, Text, _, refs_in

NUMBERED = ("threads", "waiting")  # can be read by their number
NEEDED = (
    "posts",
    "leaves",
    "stories",
    "veiled",
    "veiled_stories",
    *NUMBERED,
)  # else a line says nothing
MOST_NAMED = 40  # numbers of threads that are named where their lines have no place
_BETWEEN = "\n\n"  # what fitting puts between two paragraphs


class Known(Container[Ref], Protocol):
    """References: what a reference stands for, and whether it still does."""

    def __call__(self, ref: Ref, language: str) -> str: ...


@dataclass(frozen=True, slots=True)
class _Reader:
    """How she reads it."""

    language: str
    timezone: str
    known: Known

    def units(self, text: Text) -> int:
        said = render(text, self.language, self.known, self.timezone)
        return units(said) + len(_BETWEEN)


def said_in_full(
    message: Message, room: int, known: Known, language: str, timezone: str = "UTC"
) -> Message:
    """The same without listings: their lines are paragraphs now, as many as have room.

    `room` in UTF-16 units. Nothing is left of a message of which all lines are gone.
    """
    if not message.listings:
        return message
    found = [_still_there(each, known) for each in message.listings]
    listings = [each for each in found if each.lines]
    if not listings and not message.paragraphs and message.tree is None:
        return Message()
    reader = _Reader(language, timezone, known)
    room -= sum(map(reader.units, message.paragraphs)) + _around(message, reader)
    paragraphs = (*message.paragraphs, *_fitting(listings, room, reader))
    return replace(message, paragraphs=paragraphs, listings=())


def _still_there(listing: Listing, known: Known) -> Listing:
    lines = [
        line
        for line in listing.lines
        if all(ref in known for ref in refs_in(line) if ref.table in NEEDED)
    ]
    return replace(listing, lines=tuple(lines))


def _around(message: Message, reader: _Reader) -> int:
    """What the hint takes, and the choices where they become a list of numbers."""
    labels = sum(reader.units(each.label) + len("1. ") for each in message.choices)
    return labels + (0 if message.hint is None else reader.units(message.hint))


def _fitting(listings: list[Listing], room: int, reader: _Reader) -> list[Text]:
    """From the first on, until no line has room; each listing gets a fair part of it."""
    said: list[Text] = []
    left: list[Text] = []
    for at, listing in enumerate(listings):
        share = room // (len(listings) - at)
        used = reader.units(listing.heading)
        taken: list[Text] = []
        waiting = list(listing.lines)
        tail = reader.units(_more(listing.lines, reader)) if len(waiting) > 1 else 0
        while waiting:
            cost = reader.units(waiting[0])
            if used + cost + (tail if len(waiting) > 1 else 0) > share and taken:
                break
            used += cost
            taken.append(waiting.pop(0))
        taken += [line for line in waiting if not _is_numbered(line)]
        waiting = [line for line in waiting if _is_numbered(line)]
        said += [listing.heading, *taken]
        if waiting:
            said.append(_more(waiting, reader))
            used += reader.units(said[-1])
        left += waiting
        room -= used
    return said


def _is_numbered(line: Text) -> bool:
    """Whether it can be read by the number of a thread; else it is said, if not in one bubble."""
    return any(ref.table in NUMBERED for ref in refs_in(line))


def _more(lines: tuple[Text, ...] | list[Text], reader: _Reader) -> Text:
    """What has no room: the numbers of its threads, by which it can be read."""
    numbers = dict.fromkeys(
        reader.known(ref, reader.language)
        for line in lines
        for ref in refs_in(line)
        if ref.table in NUMBERED
    )
    named = list(numbers)[:MOST_NAMED]
    if len(named) < len(lines):
        return _("And {n} more.", n=len(lines))
    return _("And more; to read one, write its number: {numbers}.", numbers=", ".join(named))
