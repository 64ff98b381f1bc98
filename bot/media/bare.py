"""Bare: JPEG and PNG files inside of documents lose what is no picture, without being made anew."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.media.unfit import Unfit

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# JFIF, the colours (ICC) and Adobe's word on how they are coded; all other APPn and comments go.
_KEPT_APPS = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_PIXELS, _END = 0xDA, b"\xff\xd9"
# Pixels go on until a mark that is no zero, no restart and no filling.
_NEXT_MARK = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_KEPT_CHUNKS = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs"}
)


def strip(picture: bytes) -> bytes:
    """Raises Unfit for another kind of file, or a broken one."""
    if picture.startswith(_JPEG):
        return b"".join(_segments(picture))
    if picture.startswith(_PNG):
        return b"".join(_chunks(picture))
    raise Unfit("unfit")


def _segments(picture: bytes) -> Iterator[bytes]:
    """Up to its end: phones hang films and whole other photos on behind it."""
    yield picture[:2]
    at = 2
    while len(head := picture[at : at + 4]) == 4 and head[0] == 0xFF:
        mark, end = head[1], at + 2 + max(int.from_bytes(head[2:], "big"), 2)
        if mark == _PIXELS:
            found = _NEXT_MARK.search(picture, end)
            end = found.start() if found else len(picture)
        if _is_picture(mark, picture[at + 4 : end]):
            yield picture[at:end]
        at = end
        if picture[at : at + 2] in (_END, b""):
            yield _END
            return
    raise Unfit("broken")


def _is_picture(mark: int, said: bytes) -> bool:
    if 0xE0 <= mark <= 0xEF:
        return mark in _KEPT_APPS and said.startswith(_KEPT_APPS[mark])
    return mark != 0xFE


def _chunks(picture: bytes) -> Iterator[bytes]:
    yield picture[:8]
    at = 8
    while at + 8 <= len(picture):
        end = at + 12 + int.from_bytes(picture[at : at + 4], "big")
        name = picture[at + 4 : at + 8]
        if name in _KEPT_CHUNKS:
            yield picture[at:end]
        at = end
        if name == b"IEND":
            return
    raise Unfit("broken")
