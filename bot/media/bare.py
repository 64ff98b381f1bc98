"""Bare: JPEG and PNG files inside of documents lose what is no picture, without being made anew."""

from __future__ import annotations

from collections.abc import Iterator

from bot.media.unfit import Unfit

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# JFIF, the colours (ICC) and Adobe's word on how they are coded; all other APPn and comments go.
_KEPT_APPS = (0xE0, 0xE2, 0xEE)
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
    """Up to where the pixels begin; what stands behind their end goes, too."""
    yield picture[:2]
    at = 2
    while picture[at : at + 1] == b"\xff":
        mark, size = picture[at + 1], int.from_bytes(picture[at + 2 : at + 4], "big")
        if mark == 0xDA:
            end = picture.rfind(b"\xff\xd9")
            yield picture[at : end + 2] if end > at else picture[at:]
            return
        if not (0xE0 <= mark <= 0xEF or mark == 0xFE) or mark in _KEPT_APPS:
            yield picture[at : at + 2 + size]
        at += 2 + max(size, 2)
    raise Unfit("broken")


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
