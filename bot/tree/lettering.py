"""Lettering: words broken into lines that fit into a leaf, and drawn there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import regex
from icu4py.breakers import LineBreaker
from PIL import ImageDraw, ImageFont, features

from bot.tree.words import Run, font_file, runs

LINE = 1.56  # of the size; stacked signs clip in tighter lines
AWRY = 9  # pixels that the middle of a line may be away from that of all
WEIGHT = 560
MEASURED = 100  # the size at which words are measured, once
SPARE = 1.02  # what is measured at one size is a little wider at another
ELLIPSIS = "…"
LANGUAGES = {"lo": "lao", "km": "khm", "th": "tha"}
MOST_LINES = 5

Reach = tuple[float, float]  # how far ink goes above and below the base line, as shares of the size


@dataclass(frozen=True, slots=True)
class Room:
    """Where words may stand."""

    x: float  # the middle of all lines
    y: float
    span: Callable[[float, float], tuple[float, float]]  # from top to bottom: left and right end


class Unshaped(Exception):
    """This Pillow cannot join the signs of Lao and Khmer."""


@dataclass(frozen=True, slots=True)
class Face:
    """How letters look, whatever their script."""

    size: int  # pixels
    stretch: int = 100  # percent: how wide


@dataclass(frozen=True, slots=True)
class Line:
    """One line of words, and where it stands."""

    text: str
    x: float  # its middle
    y: float  # its base line


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of a leaf, all of one size."""

    lines: tuple[Line, ...]
    face: Face


def check() -> None:
    """Raises Unshaped, with one line on what to do."""
    if not features.check("raqm"):
        raise Unshaped("Pillow has no raqm here: install its wheel from PyPI, which brings it.")


@cache
def font(script: str, face: Face) -> ImageFont.FreeTypeFont:
    found = ImageFont.truetype(font_file(script), face.size, layout_engine=ImageFont.Layout.RAQM)
    found.set_variation_by_axes([WEIGHT, face.stretch])
    return found


def width(text: str, face: Face) -> float:
    """Of one line, in pixels."""
    measured = Face(MEASURED, face.stretch)
    return sum(_long(each, measured) for each in runs(text)) * face.size / MEASURED * SPARE


def _long(run: Run, face: Face) -> float:
    return font(run.script, face).getlength(run.text, language=LANGUAGES[run.script])


def pieces(text: str) -> list[str]:
    """Between them a line may end."""
    breaker = LineBreaker(text, "lo")
    return [text[start:end] for start, end in breaker.segments()]


def fit(text: str, room: Room, faces: Sequence[Face]) -> Block:
    """In the first of these faces in which all of it stands; else in the last, and cut."""
    parts = pieces(text)
    reach = _reach(text)
    stretches = {face.stretch: Face(MEASURED, face.stretch) for face in faces}
    bare = {key: [width(each.rstrip(), face) for each in parts] for key, face in stretches.items()}
    whole = {key: [width(each, face) for each in parts] for key, face in stretches.items()}
    for face in faces:
        widths = [each * face.size / MEASURED for each in bare[face.stretch]]
        spaces = [each * face.size / MEASURED for each in whole[face.stretch]]
        for count in range(1, MOST_LINES + 1):
            lines = _fill(parts, widths, spaces, _rows(count, face, room, reach))
            if lines is not None and _stands(lines, face, room):
                return Block(lines, face)
    return Block(_most(text, room, faces[-1], reach), faces[-1])


def _most(text: str, room: Room, face: Face, reach: Reach) -> tuple[Line, ...]:
    """As much of it as has room; another line must be worth it."""
    best: tuple[Line, ...] = ()
    for count in range(1, MOST_LINES + 1):
        lines = _cut(text, _rows(count, face, room, reach), face)
        if lines and _stands(lines, face, room) and _length(lines) > _length(best) * 1.2:
            best = lines
    return best


def _length(lines: Sequence[Line]) -> int:
    return sum(len(each.text) for each in lines)


@dataclass(frozen=True, slots=True)
class _Row:
    y: float  # the base line
    x: float  # its middle
    room: float


def _reach(text: str) -> Reach:
    _left, top, _right, bottom = ink(Line(text, 0, 0), Face(MEASURED))
    return (-top / MEASURED, bottom / MEASURED)


def _rows(count: int, face: Face, room: Room, reach: Reach) -> list[_Row]:
    """Where lines may stand: their ink around the middle."""
    above, below = (each * face.size for each in reach)
    first = room.y - (count - 1) * LINE * face.size / 2 + (above - below) / 2
    found = []
    for number in range(count):
        base = first + number * LINE * face.size
        left, right = room.span(base - above, base + below)
        x = max(room.x - AWRY, min(room.x + AWRY, (left + right) / 2))
        found.append(_Row(base, x, 2 * max(0.0, min(x - left, right - x))))
    return found


def _stands(lines: Sequence[Line], face: Face, room: Room) -> bool:
    """Whether all ink is in it, measured."""
    for line in lines:
        left, top, right, bottom = ink(line, face)
        start, end = room.span(top, bottom)
        if left < start or right > end:
            return False
    return True


def ink(line: Line, face: Face) -> tuple[float, float, float, float]:
    """The box around the ink of a line."""
    boxes = []
    for x, each in _laid(line, face):
        letters = font(each.script, face)
        box = letters.getbbox(each.text, anchor="ls", language=LANGUAGES[each.script])
        boxes.append((x + box[0], line.y + box[1], x + box[2], line.y + box[3]))
    return (
        min(each[0] for each in boxes),
        min(each[1] for each in boxes),
        max(each[2] for each in boxes),
        max(each[3] for each in boxes),
    )


def _fill(
    parts: Sequence[str], widths: Sequence[float], spaces: Sequence[float], rows: Sequence[_Row]
) -> tuple[Line, ...] | None:
    """All pieces in these rows; None if they do not fit."""
    at, lines = 0, []
    for row in rows:
        used, start = 0.0, at
        while at < len(parts) and used + widths[at] <= row.room:
            used += spaces[at]
            at += 1
        if at == start:
            return None
        lines.append(Line("".join(parts[start:at]).rstrip(), row.x, row.y))
    return tuple(lines) if at == len(parts) else None


def _cut(text: str, rows: Sequence[_Row], face: Face) -> tuple[Line, ...]:
    """As many words as there is room for; the last line ends with an ellipsis."""
    left, lines = text, []
    for row in rows:
        last = row is rows[-1]
        line = _longest(left, row.room, face, ELLIPSIS if last else "")
        if not line:
            return ()
        left = left[len(line) :]
        lines.append(Line(line.rstrip() + (ELLIPSIS if last else ""), row.x, row.y))
    return tuple(lines)


def _longest(text: str, room: float, face: Face, end: str) -> str:
    """The longest beginning that has room: of whole words, or at least of whole clusters."""
    for units in (pieces(text[:200]), regex.findall(r"\X", text[:60])):
        found = ""
        for unit in units:
            if width((found + unit).rstrip() + end, face) > room:
                break
            found += unit
        if found.strip():
            return found
    return ""


def draw(canvas: ImageDraw.ImageDraw, block: Block, colour: tuple[int, int, int]) -> None:
    for line in block.lines:
        for x, each in _laid(line, block.face):
            letters, language = font(each.script, block.face), LANGUAGES[each.script]
            canvas.text((x, line.y), each.text, colour, letters, "ls", language=language)


def _laid(line: Line, face: Face) -> list[tuple[float, Run]]:
    """Each run of a line, and where it begins."""
    found = [(each, _long(each, face)) for each in runs(line.text)]
    x, laid = line.x - sum(long for _each, long in found) / 2, []
    for each, long in found:
        laid.append((x, each))
        x += long
    return laid
