"""The picture of a tree: a leaf for each happy moment, the newest of them with their words."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw

from bot.tree import crown, foliage, lettering, signs, wood
from bot.tree.foliage import FRESH, INK, OLDER, Place
from bot.tree.lettering import Face
from bot.tree.scenery import FINE, SIDE, rgb, scenery
from bot.tree.words import drawable

YOUNG = 3  # up to so many leaves it still has its seed leaves
MOST_BYTES = 150_000
LONGEST = 400  # signs of a leaf that are looked at: far more than have room on it
SMALL = (*(Face(size) for size in range(46, 34, -3)), Face(34, 85), Face(32, 85))
LARGE = (Face(58), Face(52), *SMALL)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One happy moment."""

    id: int  # the same leaf always has the same colour
    words: str  # "" = it has none
    spoken: bool = False


def draw(leaves: Sequence[Leaf], title: str) -> bytes:
    """A JPEG of at most 150 kB; the newest leaf first. The same leaves give the same bytes."""
    picture = paint(leaves, title)
    for quality in (88, 82, 75, 66, 55):
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
        if out.tell() <= MOST_BYTES:
            break
    return out.getvalue()


def paint(leaves: Sequence[Leaf], title: str) -> Image.Image:
    fresh = [replace(each, words=each.words[:LONGEST]) for each in leaves[: crown.MOST_WORDS]]
    said = [_said(each) for each in fresh]
    chance = random.Random(len(fresh))  # noqa: S311
    places = crown.worded([_weight(each) for each in said], chance) if fresh else []
    older = leaves[crown.MOST_WORDS : crown.MOST_DRAWN]
    small = crown.wordless(len(older), places, chance)
    large = scenery().resize((SIDE * FINE, SIDE * FINE), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(large)
    grown = wood.grow([*places, *small], chance)
    wood.paint(pen, grown)
    wood.plant(pen, grown, chance)
    for seed in wood.seed_leaves(grown) if len(leaves) <= YOUNG else ():
        foliage.paint_older(pen, seed, rgb("#7fae4a"))
    for leaf, place in zip(older, small, strict=True):
        foliage.paint_older(pen, place, rgb(OLDER[leaf.id * 5 % len(OLDER)]))
    foliage.cast_shadows(large, places)
    for leaf, place in zip(fresh, places, strict=True):
        foliage.paint_fresh(large, place, FRESH[leaf.id % len(FRESH)])
        _mark(pen, leaf, place)
    picture = large.reduce(FINE)
    _letter(picture, said, places)
    _sign(picture, title)
    return picture


def _mark(pen: ImageDraw.ImageDraw, leaf: Leaf, place: Place) -> None:
    """A feeling or a voice: large where there are no words, else at the leaf's edge."""
    sign = signs.VOICE if leaf.spoken else signs.sign_of(leaf.words)
    if _said(leaf):
        x, y = place.at(0.78, -0.80)
        if sign is not None:
            signs.paint(pen, sign, x, y, 24)
        return
    x, y = place.at(-0.05, 0.0)
    signs.paint(pen, sign or "flower", x, y, min(62.0, place.high * 0.52))


def _said(leaf: Leaf) -> str:
    """What can be written on it; a name announces nothing when only a feeling follows it."""
    return drawable(leaf.words).rstrip(" :៖")


def _weight(words: str) -> float:
    return min(1.25, 0.72 + len(words) / 90)


def _letter(picture: Image.Image, said: Sequence[str], places: Sequence[Place]) -> None:
    pen = ImageDraw.Draw(picture)
    faces = SMALL if len(said) > 2 else LARGE
    for words, place in zip(said, places, strict=True):
        if words:
            block = lettering.fit(words, foliage.room(place, 11), faces)
            lettering.draw(pen, block, INK)


def _sign(picture: Image.Image, title: str) -> None:
    line = lettering.Line(title, SIDE / 2, 1044)
    lettering.draw(ImageDraw.Draw(picture), lettering.Block((line,), Face(40)), rgb("#fff6dc"))
