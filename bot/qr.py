"""QR pictures: an address that a camera can read from a screen or from paper."""

from __future__ import annotations

import io

import segno


def png(text: str) -> bytes:
    """A black and white PNG, large enough to be read from a weak phone's screen."""
    picture = io.BytesIO()
    segno.make_qr(text, error="m").save(picture, kind="png", scale=8, border=4)
    return picture.getvalue()
