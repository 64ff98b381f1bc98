"""Leaves: where each hangs, what outline it has, and how it is painted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

from bot.tree.lettering import Room
from bot.tree.scenery import FINE, SIDE, Colour, mixed, rgb

Point = tuple[float, float]

INK = rgb("#10301f")  # at least 7 : 1 on every fresh leaf
FRESH = (  # above and below; told apart by their light, too
    ("#f3f7c4", "#c3df86"),
    ("#fdf1bf", "#f3d37c"),
    ("#e3f5d9", "#a9dca4"),
    ("#fde6d2", "#f4bf98"),
    ("#dff3ea", "#9fd6c3"),
    ("#fff6dd", "#ead9a0"),
)
OLDER = ("#2f6f3f", "#3d8246", "#56974c", "#78a94f", "#2a6049", "#9fb552", "#c9a544")
VEIN = 0.16  # so much lighter or darker than the leaf


@dataclass(frozen=True, slots=True)
class Place:
    """Where a leaf hangs."""

    x: float  # its middle
    y: float
    half: float  # of its length
    high: float  # half of its height
    side: int  # where its tip points: 1 to the right
    tilt: float = 0.0  # radians

    @property
    def stem(self) -> Point:
        """Where it is joined to its twig."""
        return self.at(-1.0, 0.0)

    def outline(self, points: int = 40) -> list[Point]:
        over = [-math.cos(math.pi * each / points) for each in range(points + 1)]
        above = [self.at(u, -_profile(u)) for u in over]
        below = [self.at(u, _profile(u)) for u in reversed(over)]
        return above + below

    def rib(self, points: int = 14) -> list[Point]:
        """The middle line, from the stem almost to the tip."""
        return [self.at(-1 + 1.9 * each / points, 0.0) for each in range(points + 1)]

    def at(self, u: float, v: float) -> Point:
        """From the leaf's own measures, -1 to 1, to the picture's: a little bent, then turned."""
        bent = v * self.high + 0.10 * self.high * (u * u - 0.35)
        x, y = self.side * u * self.half, bent
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        return (self.x + x * cos - y * sin, self.y + x * sin + y * cos)


def _profile(u: float) -> float:
    """Half the height at u: round at the stem, pointed at the tip."""
    if u < 0:
        return float((1 - abs(u) ** 3.0) ** 0.52)
    return float((1 - u**2.9) ** 0.82)


def room(place: Place, spare: float) -> Room:
    """Where words may stand on it: nowhere nearer to its edge than this."""
    shape = place.outline(20)
    edges = list(zip(shape, shape[1:] + shape[:1], strict=True))

    def span(top: float, bottom: float) -> tuple[float, float]:
        left, right = -math.inf, math.inf
        for y in (top - spare / 2, (top + bottom) / 2, bottom + spare / 2):
            met = [
                a + (y - b) * (c - a) / (d - b) for (a, b), (c, d) in edges if (b <= y) != (d <= y)
            ]
            if not met:
                return (place.x, place.x)
            left, right = max(left, min(met)), min(right, max(met))
        return (left + spare, right - spare)

    middle = place.at(-0.07, 0.0)
    return Room(*middle, span)


# Painting ----------------------------------------------------------------------------------------


def scaled(points: Sequence[Point], dx: float = 0, dy: float = 0) -> list[Point]:
    return [((x + dx) * FINE, (y + dy) * FINE) for x, y in points]


def paint_fresh(picture: Image.Image, place: Place, colours: tuple[str, str]) -> None:
    """One leaf that carries words, on the picture of twice the size."""
    shape = scaled(place.outline())
    left, top = (math.floor(min(each[at] for each in shape)) - 4 for at in (0, 1))
    right, bottom = (math.ceil(max(each[at] for each in shape)) + 4 for at in (0, 1))
    size = (right - left, bottom - top)
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in shape], fill=255)
    fill = _shade(size, colours)
    rim = mixed(rgb(colours[1]), rgb("#2c5a2c"), 0.62)
    picture.paste(fill, (left, top), mask)
    pen = ImageDraw.Draw(picture)
    _veins(pen, place, mixed(rgb(colours[1]), rgb("#ffffff"), 0.38))
    pen.line([*shape, shape[0]], fill=rim, width=5, joint="curve")


def _shade(size: tuple[int, int], colours: tuple[str, str]) -> Image.Image:
    column = Image.new("RGB", (1, 16))
    column.putdata([mixed(rgb(colours[0]), rgb(colours[1]), (y / 15) ** 1.3) for y in range(16)])
    return column.resize(size, Image.Resampling.BICUBIC)


def _veins(pen: ImageDraw.ImageDraw, place: Place, colour: Colour) -> None:
    pen.line(scaled(place.rib()), fill=colour, width=4, joint="curve")
    for number in range(1, 6):
        u = -0.85 + number * 0.26
        for sign in (-1, 1):
            start = place.at(u, 0.0)
            middle = place.at(u + 0.13, sign * _profile(u + 0.13) * 0.5)
            end = place.at(u + 0.2, sign * _profile(min(0.98, u + 0.2)) * 0.82)
            pen.line(scaled([start, middle, end]), fill=colour, width=3, joint="curve")


def paint_older(pen: ImageDraw.ImageDraw, place: Place, colour: Colour) -> None:
    """A small one without words: two halves in two tones."""
    shape = place.outline(9)
    pen.polygon(scaled(shape), fill=colour)
    half = [*shape[: len(shape) // 2], *reversed(place.rib(5))]
    pen.polygon(scaled(half), fill=mixed(colour, rgb("#f4f1b0"), 0.22))


def cast_shadows(picture: Image.Image, places: Sequence[Place]) -> None:
    """One soft shadow for all that carry words, below and to the left: the sun is to the right."""
    mask = Image.new("L", (SIDE // 2, SIDE // 2), 0)
    pen = ImageDraw.Draw(mask)
    for each in places:
        pen.polygon([((x - 4) / 2, (y + 10) / 2) for x, y in each.outline(16)], fill=120)
    mask = mask.filter(ImageFilter.GaussianBlur(5)).resize(picture.size, Image.Resampling.BILINEAR)
    picture.paste(rgb("#1c3a2c"), (0, 0), mask)
