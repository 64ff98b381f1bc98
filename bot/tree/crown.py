"""The crown: where the leaves hang, so that words can be read and nothing is hidden."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

from bot.tree.foliage import Place, Point
from bot.tree.scenery import SIDE

MOST_WORDS = 12  # so many of the newest leaves carry words
MOST_DRAWN = 520  # leaves in all; beyond that only the figure grows

# The first ones hang along a young stem: x, y, half of the length, of the height, side, tilt.
YOUNG: dict[int, tuple[tuple[float, float, float, float, int, float], ...]] = {
    1: ((688, 470, 250, 148, 1, -0.27),),
    2: ((730, 350, 225, 130, 1, -0.16), (330, 505, 225, 130, -1, 0.13)),
    3: (
        (665, 205, 215, 122, 1, -0.16),
        (290, 370, 215, 122, -1, 0.13),
        (775, 530, 215, 122, 1, -0.09),
    ),
    4: (
        (665, 165, 212, 112, 1, -0.15),
        (285, 290, 212, 112, -1, 0.12),
        (800, 410, 212, 112, 1, -0.09),
        (280, 545, 212, 112, -1, 0.07),
    ),
    5: (
        (655, 142, 212, 104, 1, -0.13),
        (275, 245, 212, 104, -1, 0.11),
        (812, 352, 212, 104, 1, -0.09),
        (262, 468, 212, 106, -1, 0.08),
        (812, 585, 212, 106, 1, -0.04),
    ),
}
# How many hang in each row of a grown crown, from the top.
ROWS = {
    6: (1, 2, 3),
    7: (2, 3, 2),
    8: (2, 3, 3),
    9: (2, 3, 2, 2),
    10: (2, 3, 3, 2),
    11: (2, 3, 3, 3),
    12: (2, 3, 4, 3),
}
EDGE = 16  # pixels that stay free at both sides
GAP = 12  # between two of a row
WIDEST = 212.0  # half of a leaf


def worded(weights: Sequence[float], chance: random.Random) -> list[Place]:
    """The places of the leaves with words, from the top; who has more to say gets more room."""
    if len(weights) in YOUNG:
        return [Place(*each) for each in YOUNG[len(weights)]]
    rows = ROWS[len(weights)]
    pitch = 205 if len(rows) == 3 else 168
    first = 190 if len(rows) == 3 else 118
    found: dict[int, Place] = {}
    heard = sorted(range(len(weights)), key=lambda at: -weights[at])
    held: dict[int, list[int]] = {}  # which of them hang in a row; a wide row has the shorter ones
    for number in sorted(range(len(rows)), key=lambda number: rows[number]):
        held[number] = sorted(heard[: rows[number]])
        heard = heard[rows[number] :]
    for number in range(len(rows)):
        own = [weights[at] for at in held[number]]
        there = _row(own, first + number * pitch, pitch, number, chance)
        found.update(zip(held[number], there, strict=True))
    return [found[at] for at in range(len(weights))]


def _row(
    weights: Sequence[float], y: float, pitch: float, number: int, chance: random.Random
) -> Iterator[Place]:
    """Side by side over the middle, higher there than at the ends."""
    room = (SIDE - 2 * EDGE - GAP * (len(weights) - 1)) / 2
    halves = [min(WIDEST, room * each / sum(weights)) for each in weights]
    gap = GAP if len(weights) > 2 else 5 * GAP
    lean = (0, 26, -14, 10)[number] if len(weights) < 4 else 0
    x = SIDE / 2 - sum(halves) - gap * (len(weights) - 1) / 2
    x += max(-max(0, x - EDGE), min(lean, max(0, x - EDGE)))
    for half in halves:
        x += half
        out = (x - SIDE / 2) / (SIDE / 2)
        side = 1 if out > 0 else -1
        lift = 16 * out * out + chance.uniform(-7, 7)
        high = min(pitch * 0.455, half * 0.7)
        tilt = side * (chance.uniform(-0.13, -0.05) + 0.05 * number) * min(1, abs(out) * 3)
        yield Place(x, y + lift, half, high, side, tilt)
        x += half + gap


def wordless(count: int, words: list[Place], chance: random.Random) -> list[Place]:
    """The places of the small leaves: all over the crown, but never behind the others."""
    free: list[Point] = []
    spacing = 62.0
    while len(free) < count:
        free = [each for each in _lattice(spacing) if not _covered(each, words)]
        spacing *= 0.93
    size = max(15.0, min(32.0, spacing * 0.62))
    chosen = sorted(chance.sample(free, count), key=lambda each: each[1])
    return [_small(x, y, size * chance.uniform(0.8, 1.15), chance) for x, y in chosen]


def _lattice(spacing: float) -> list[Point]:
    """Like the seeds of a sunflower, over the whole crown."""
    found = []
    for number in range(int((510 * 400 * math.pi) / spacing**2)):
        radius = spacing * math.sqrt(number / math.pi)
        angle = number * 2.399963
        x, y = 540 + radius * math.cos(angle) * 1.13, 392 + radius * math.sin(angle) * 0.86
        if (
            40 < x < SIDE - 40
            and 40 < y < 770
            and ((x - 540) / 520) ** 2 + ((y - 380) / 395) ** 2 < 1
        ):
            found.append((x, y))
    return found


def _covered(point: Point, words: list[Place]) -> bool:
    return any(
        abs((point[0] - each.x) / (each.half + 7)) ** 2.2
        + abs((point[1] - each.y) / (each.high + 7)) ** 2.2
        < 1
        for each in words
    )


def _small(x: float, y: float, size: float, chance: random.Random) -> Place:
    """It points away from the middle of the crown, more or less."""
    side = 1 if x >= SIDE / 2 else -1
    outward = math.atan2(y - 560, abs(x - SIDE / 2) + 30)
    return Place(x, y, size, size * 0.46, side, side * (outward * 0.7 + chance.gauss(0, 0.5)))
