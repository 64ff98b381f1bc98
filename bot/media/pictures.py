"""Pictures: any photo becomes a JPEG of a phone's size, upright, with nothing but its pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import (
    ExifTags,
    Image,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from bot.media.cell import Clean
from bot.media.unfit import Unfit

# Named, not guessed: no other file is opened as a picture. And how many pixels it may have by its
# header: a JPEG is made small while it is read, the others are read whole, WebP twice.
_OPENERS = (
    (0, b"\xff\xd8\xff", JpegImagePlugin.JpegImageFile, 40_000_000),
    (0, b"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile, 12_000_000),
    (8, b"WEBP", WebPImagePlugin.WebPImageFile, 8_000_000),
)
LONGEST_SIDE = 1600  # pixels
QUALITY = 85


def clean(raw: bytes) -> Clean:
    """Raises Unfit."""
    Image.MAX_IMAGE_PIXELS = None  # our own limits are below those
    picture = _open(raw)
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # what is no JPEG stays as it is
    return Clean(_encode(_shrink(picture)), "image/jpeg")


def samples() -> Iterator[bytes]:
    """A small picture in each form, and nothing; see cell.run."""
    picture = Image.new("RGBA", (8, 8))
    for form in ("PNG", "WEBP"):
        target = io.BytesIO()
        picture.save(target, form)
        yield target.getvalue()
    turned, target = Image.Exif(), io.BytesIO()
    turned[ExifTags.Base.Orientation] = 6
    picture.convert("RGB").save(target, "JPEG", exif=turned)
    yield target.getvalue()
    yield b"\xff\xd8\xff"


def _open(raw: bytes) -> ImageFile.ImageFile:
    for place, start, opener, most in _OPENERS:
        if raw.startswith(start, place):
            try:
                found = opener(io.BytesIO(raw))
            except (OSError, SyntaxError, ValueError, EOFError):
                raise Unfit("broken") from None
            if found.width * found.height > most:
                raise Unfit("too_big")
            return found
    raise Unfit("unfit")


def _shrink(picture: Image.Image) -> Image.Image:
    """Upright, on white, as three colours. A picture that ends too early is broken."""
    try:
        picture.load()
    except (OSError, SyntaxError, ValueError, EOFError):
        raise Unfit("broken") from None
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    upright = ImageOps.exif_transpose(picture)
    if "A" not in upright.getbands() and "transparency" not in upright.info:
        return upright.convert("RGB")
    layer = upright.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def _encode(picture: Image.Image) -> bytes:
    """Only pixels are copied: what else came along stays behind."""
    bare = Image.frombytes("RGB", picture.size, picture.tobytes())
    target = io.BytesIO()
    bare.save(target, "JPEG", quality=QUALITY, progressive=True, optimize=True)
    return target.getvalue()
