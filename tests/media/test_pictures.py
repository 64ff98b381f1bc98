"""Pictures: upright, of a phone's size, and silent about who took them and where."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image

from bot.media.cleaning import clean
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
