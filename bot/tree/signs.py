"""Signs: feelings that came as emoji, and a voice without words, as small shapes of our own."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import ImageDraw

from bot.tree.foliage import INK, Point, scaled
from bot.tree.scenery import rgb

VOICE = "voice"

# What people send when they are happy, and the shape that stands for it.
FEELINGS = {
    "heart": "❤♥💚💛🧡💙💜💕💖💗💓💝🥰😍😘🤗💞🫶",
    "smile": "😀😁😃😄😅😆😊🙂😋😎🤩😇☺😂🤣🥲😌😺",
    "star": "⭐🌟✨💫🏆🥇🎉🎊🎈🎆🎇🥳",
    "flower": "🌸🌼🌻🌺🌷🌹💐🪷🏵🍀🌱🌳🌿🍃",
    "sun": "☀🌞🌅🌄🌈🔆",
    "hand": "👍👏🙏🙌💪🤝👋✌🤞👌",
}
_SIGNS = {emoji: name for name, every in FEELINGS.items() for emoji in every}

Pen = ImageDraw.ImageDraw


def sign_of(words: str) -> str | None:
    """The first feeling in them that we can draw."""
    return next((_SIGNS[each] for each in words if each in _SIGNS), None)


def paint(pen: Pen, name: str, x: float, y: float, size: float) -> None:
    """Around this point, `size` from the middle to its edge."""
    _SHAPES[name](pen, x, y, size)


def _heart(pen: Pen, x: float, y: float, size: float) -> None:
    shape: list[Point] = []
    for number in range(48):
        t = number * math.tau / 48
        across = 16 * math.sin(t) ** 3
        down = -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t))
        shape.append((x + across * size / 17, y + (down - 2) * size / 17))
    pen.polygon(scaled(shape), fill=rgb("#b3263e"))


def _smile(pen: Pen, x: float, y: float, size: float) -> None:
    _disc(pen, x, y, size, "#7a4a06")
    _disc(pen, x, y, size * 0.90, "#ffc93c")
    for side in (-1, 1):
        _disc(pen, x + side * size * 0.34, y - size * 0.22, size * 0.12, "#4a2c05")
    box = scaled([(x - size * 0.5, y - size * 0.45), (x + size * 0.5, y + size * 0.52)])
    pen.arc([*box[0], *box[1]], 20, 160, fill=rgb("#4a2c05"), width=max(3, round(size * 0.22)))


def _star(pen: Pen, x: float, y: float, size: float) -> None:
    shape = []
    for number in range(10):
        far = size * (1.05 if number % 2 == 0 else 0.48)
        angle = -math.pi / 2 + number * math.pi / 5
        shape.append((x + far * math.cos(angle), y + far * math.sin(angle)))
    pen.polygon(scaled(shape), fill=rgb("#b06a00"))


def _flower(pen: Pen, x: float, y: float, size: float) -> None:
    for number in range(6):
        angle = number * math.tau / 6 + 0.3
        dx, dy = math.cos(angle) * size * 0.56, math.sin(angle) * size * 0.56
        _disc(pen, x + dx, y + dy, size * 0.42, "#a8326b")
    _disc(pen, x, y, size * 0.34, "#ffd75e")


def _sun(pen: Pen, x: float, y: float, size: float) -> None:
    for number in range(8):
        angle = number * math.tau / 8
        ends = [(x + math.cos(angle) * size * r, y + math.sin(angle) * size * r) for r in (0.7, 1)]
        pen.line(scaled(ends), fill=rgb("#a85a00"), width=max(3, round(size * 0.26)))
    _disc(pen, x, y, size * 0.56, "#a85a00")
    _disc(pen, x, y, size * 0.44, "#ffb52e")


def _hand(pen: Pen, x: float, y: float, size: float) -> None:
    """An open hand."""
    ink = rgb("#7a4526")
    thick = max(4, round(size * 0.42))
    for dx, top in ((-0.45, -0.62), (-0.15, -0.9), (0.15, -0.92), (0.45, -0.7)):
        tip = (x + dx * size * 1.1, y + top * size)
        pen.line(scaled([(x + dx * size * 0.8, y + size * 0.2), tip]), fill=ink, width=thick)
        _disc(pen, *tip, size * 0.105, "#7a4526")
    thumb = (x + size * 0.92, y - size * 0.02)
    pen.line(scaled([(x + size * 0.3, y + size * 0.5), thumb]), fill=ink, width=thick)
    _disc(pen, *thumb, size * 0.105, "#7a4526")
    _disc(pen, x, y + size * 0.42, size * 0.52, "#7a4526")


def _voice(pen: Pen, x: float, y: float, size: float) -> None:
    """Sound, as it rises and falls."""
    for number, high in enumerate((0.35, 0.75, 1.0, 0.55, 0.85, 0.4, 0.2)):
        at, tall = x + (number - 3) * size * 0.36, high * size * 0.8
        (left, top), (right, bottom) = scaled(
            [(at - size * 0.1, y - tall), (at + size * 0.1, y + tall)]
        )
        pen.rounded_rectangle((left, top, right, bottom), radius=size * 0.2, fill=INK)


def _disc(pen: Pen, x: float, y: float, size: float, colour: str) -> None:
    (left, top), (right, bottom) = scaled([(x - size, y - size), (x + size, y + size)])
    pen.ellipse((left, top, right, bottom), fill=rgb(colour))


_SHAPES: dict[str, Callable[[Pen, float, float, float], None]] = {
    "heart": _heart,
    "smile": _smile,
    "star": _star,
    "flower": _flower,
    "sun": _sun,
    "hand": _hand,
    VOICE: _voice,
}
