"""Pictures: upright, of a phone's size, and silent about who took them and where."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image

from bot.media.cleaning import clean
from tests.media.cells import put_in_cell
from tests.media.files import photo, tell_tale_exif


def seen(raw: bytes) -> Image.Image:
    found = asyncio.run(clean("photo", raw))
    assert found.mime == "image/jpeg"
    return Image.open(io.BytesIO(found.content))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_seen(form: str) -> None:
    picture = seen(photo((2400, 1200), form))
    assert (picture.format, picture.size) == ("JPEG", (1600, 800))


def test_a_photo_does_not_tell_where_it_was_taken() -> None:
    raw = photo(exif=tell_tale_exif(), comment=b"TELLTALE")
    assert raw.count(b"TELLTALE") == 3
    found = asyncio.run(clean("photo", raw))
    picture = Image.open(io.BytesIO(found.content))
    assert b"TELLTALE" not in found.content and not picture.getexif()
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"} | {
        "progressive",
        "progression",
    }


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photo_stands_upright(orientation: int) -> None:
    """The red corner is where the phone's holder saw it."""
    picture = seen(photo(exif=tell_tale_exif(orientation)))
    assert picture.size == ((800, 600) if orientation in (1, 3) else (600, 800))
    wide, high = picture.size
    corners = {1: (9, 9), 3: (wide - 9, high - 9), 6: (wide - 9, 9), 8: (9, high - 9)}
    red, green, blue = picture.getpixel(corners[orientation])  # type: ignore[misc]
    assert red > 200 and green < 60 and blue < 60


def test_what_can_be_seen_through_is_white() -> None:
    target = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(target, "PNG")
    assert seen(target.getvalue()).getpixel((20, 20)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "CMYK", "RGB"])
def test_a_photo_in_any_colours(mode: str) -> None:
    target = io.BytesIO()
    Image.new(mode, (40, 30)).save(target, "JPEG" if mode == "CMYK" else "PNG")
    assert seen(target.getvalue()).mode == "RGB"


def test_a_large_photo_takes_little_memory() -> None:
    """Of forty million points, as a new phone makes them."""
    took = put_in_cell("photo", photo((7300, 5475)))
    assert took.reason is None
    assert took.memory < 200 << 20 and took.seconds < 5


@pytest.mark.parametrize(("form", "size"), [("PNG", (4000, 3000)), ("WEBP", (3200, 2400))])
def test_a_large_picture_takes_a_limited_memory(form: str, size: tuple[int, int]) -> None:
    took = put_in_cell("photo", photo(size, form))
    assert took.reason is None and took.memory < 200 << 20
    larger = put_in_cell("photo", photo((size[0] * 2, size[1]), form))
    assert larger.reason == "too_big" and larger.memory < 100 << 20
