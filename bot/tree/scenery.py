"""Where the tree stands: evening light over hills and a river, the same in every picture."""

from __future__ import annotations

import math
import random
from functools import cache
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIDE = 1080  # pixels of the picture
FINE = 2  # it is drawn so much larger and then made smaller: smooth edges
HORIZON = 770
RIVER = 846
GROUND = 930  # where the tree stands
SUN = (640, 470)
SEED = 7

Colour = tuple[int, int, int]

SKY = ((0, "#6fb0c6"), (300, "#a9d3d0"), (520, "#f0e6c4"), (680, "#fbd9a4"), (790, "#f6bf8a"))
WATER = ((770, "#f3c999"), (800, "#c9cdb4"), (870, "#6fa3a3"))


def rgb(colour: str) -> Colour:
    return (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (
        round(first + (second - first) * share) for first, second in zip(one, other, strict=True)
    )
    return (red, green, blue)


def gradient(
    stops: tuple[tuple[int, str], ...], size: tuple[int, int], top: int = 0
) -> Image.Image:
    """From above to below, through these colours at these heights."""
    width, height = size
    column = Image.new("RGB", (1, height))
    column.putdata([_at(stops, top + y) for y in range(height)])
    return column.resize((width, height))


def _at(stops: tuple[tuple[int, str], ...], y: int) -> Colour:
    for (y0, first), (y1, second) in pairwise(stops):
        if y <= y1:
            return mixed(rgb(first), rgb(second), max(0.0, (y - y0) / (y1 - y0)))
    return rgb(stops[-1][1])


@cache
def scenery() -> Image.Image:
    """Everything behind the tree."""
    picture = gradient(SKY, (SIDE, SIDE))
    _shine(picture, SUN, 620, "#fff3c9", 0.85)
    _shine(picture, SUN, 250, "#fffbe9", 0.95)
    _sun(picture)
    _clouds(picture)
    _hills(picture)
    _river(picture)
    _meadow(picture)
    return picture


def _shine(
    picture: Image.Image, at: tuple[int, int], radius: int, colour: str, most: float
) -> None:
    """Light around a point, weaker with the distance."""
    round_ = ImageChops.invert(Image.radial_gradient("L")).resize((2 * radius, 2 * radius))
    mask = round_.point([round(max(0, (v - 74) / 181) ** 1.6 * 255 * most) for v in range(256)])
    picture.paste(rgb(colour), (at[0] - radius, at[1] - radius), mask)


def _sun(picture: Image.Image) -> None:
    mask = Image.new("L", (480, 480), 0)
    ImageDraw.Draw(mask).ellipse((20, 20, 460, 460), fill=190)
    mask = mask.filter(ImageFilter.GaussianBlur(3)).reduce(FINE)
    picture.paste(rgb("#fff7dc"), (SUN[0] - 120, SUN[1] - 120), mask)


def _clouds(picture: Image.Image) -> None:
    """A few long ones, lit from below."""
    mask = Image.new("L", (SIDE, SIDE), 0)
    pen = ImageDraw.Draw(mask)
    chance = random.Random(SEED)  # noqa: S311
    for x, y, length in ((170, 150, 230), (860, 110, 300), (950, 330, 220), (90, 420, 180)):
        for _number in range(16):
            dx, dy = chance.gauss(0, length / 3), chance.gauss(0, 7)
            wide, high = chance.uniform(40, 110), chance.uniform(7, 20)
            pen.ellipse((x + dx - wide, y + dy - high, x + dx + wide, y + dy + high), fill=120)
    mask = mask.filter(ImageFilter.GaussianBlur(11))
    picture.paste(rgb("#fff4e2"), (0, 0), mask)


HILLS = (  # base line, height of the waves, length, phase, colour above and below
    (690, 62, 330, 0.4, "#b9cdbb", "#f0d3a8"),
    (722, 44, 240, 2.2, "#93b7a4", "#dccfa4"),
    (752, 26, 170, 4.1, "#6d9d83", "#b5c295"),
)


def _hills(picture: Image.Image) -> None:
    """Each range paler than the one before it, with mist at its foot."""
    for base, high, long, phase, above, below in HILLS:
        mask = Image.new("L", (SIDE * FINE, (HORIZON + 10) * FINE), 0)
        line = [(x, _ridge(x, base, high, long, phase)) for x in range(-10, SIDE + 20, 6)]
        shape = [*line, (SIDE + 20, HORIZON + 10), (-10, HORIZON + 10)]
        ImageDraw.Draw(mask).polygon([(x * FINE, y * FINE) for x, y in shape], fill=255)
        top = base - 2 * high
        shade = gradient(((top, above), (HORIZON, below)), (SIDE, HORIZON + 10 - top), top)
        picture.paste(shade, (0, top), mask.reduce(FINE).crop((0, top, SIDE, HORIZON + 10)))


def _ridge(x: float, base: float, high: float, long: float, phase: float) -> float:
    waves = math.sin(x / long + phase) + 0.5 * math.sin(x / long * 2.3 + phase * 2)
    return base - high * (0.55 + 0.5 * waves) - 4 * math.sin(x / 23 + phase)


def _river(picture: Image.Image) -> None:
    """Still water, with the light of the sun on it."""
    picture.paste(gradient(WATER, (SIDE, 130), HORIZON), (0, HORIZON))
    shine = Image.new("L", (SIDE, 110), 0)
    pen = ImageDraw.Draw(shine)
    chance = random.Random(SEED + 1)  # noqa: S311
    for _number in range(150):
        y = chance.uniform(2, 100)
        near = chance.random() < 0.6
        x = chance.gauss(SUN[0], 60 + y) if near else chance.uniform(0, SIDE)
        long = chance.uniform(10, 46) * (0.5 + y / 90)
        light = round((150 if near else 60) * chance.uniform(0.4, 1))
        pen.ellipse((x - long, y - 1 - y / 70, x + long, y + 1 + y / 70), fill=light)
    shine = shine.filter(ImageFilter.GaussianBlur(1))
    picture.paste(rgb("#fff3d0"), (0, HORIZON), shine)


def bank(x: float) -> float:
    """The upper edge of the meadow: a gentle mound under the tree."""
    return RIVER + 34 - 46 * math.exp(-(((x - SIDE / 2) / 300) ** 2)) + 7 * math.sin(x / 120)


MEADOW = ((800, "#a9b95a"), (880, "#7fa24d"), (960, "#4f7f42"), (1080, "#2c5a37"))


def _meadow(picture: Image.Image) -> None:
    mask = Image.new("L", (SIDE * FINE, SIDE * FINE), 0)
    edge = [(x, bank(x)) for x in range(-10, SIDE + 20, 8)]
    shape = [*edge, (SIDE + 20, SIDE + 10), (-10, SIDE + 10)]
    ImageDraw.Draw(mask).polygon([(x * FINE, y * FINE) for x, y in shape], fill=255)
    picture.paste(gradient(MEADOW, (SIDE, SIDE)), (0, 0), mask.reduce(FINE))
    _grass(picture)


def _grass(picture: Image.Image) -> None:
    """Blades that are darker and longer in front, and flowers among them."""
    top = 800
    large = picture.crop((0, top, SIDE, SIDE)).resize((SIDE * FINE, (SIDE - top) * FINE))
    pen = ImageDraw.Draw(large)
    chance = random.Random(SEED + 2)  # noqa: S311
    for y in sorted(chance.uniform(0, 1) ** 0.8 for _number in range(620)):
        x = chance.uniform(0, SIDE)
        foot = bank(x) + 2 + y * (SIDE - bank(x))
        tone = _at(MEADOW, round(foot))
        tone = mixed(tone, rgb("#d9e08a" if chance.random() < 0.45 else "#1f4a30"), 0.34)
        high, lean = 7 + 22 * y, chance.uniform(-7, 9)
        blade = [(x - 1.5, foot), (x + lean, foot - high), (x + 1.5, foot)]
        pen.polygon([(a * FINE, (b - top) * FINE) for a, b in blade], fill=tone)
    for _number in range(46):
        x, y = chance.uniform(0, SIDE), chance.uniform(0.1, 0.62)
        _flower(pen, x, bank(x) + y * (SIDE - bank(x)) - top, 2.6 + 4.4 * y, chance)
    picture.paste(large.reduce(FINE), (0, top))


PETALS = ("#fff8ec", "#ffd7a0", "#f7b7a3", "#fff1b8", "#e9d5f0")


def _flower(
    pen: ImageDraw.ImageDraw, x: float, y: float, size: float, chance: random.Random
) -> None:
    colour, turn = chance.choice(PETALS), chance.uniform(0, 1)
    for number in range(5):
        angle = turn + number * math.tau / 5
        a, b = x + size * math.cos(angle), y + size * 0.8 * math.sin(angle)
        _dot(pen, a, b, size * 0.72, colour)
    _dot(pen, x, y, size * 0.55, "#e2a33c")


def _dot(pen: ImageDraw.ImageDraw, x: float, y: float, size: float, colour: str) -> None:
    pen.ellipse(
        [(x - size) * FINE, (y - size) * FINE, (x + size) * FINE, (y + size) * FINE], colour
    )
