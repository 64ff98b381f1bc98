"""Samples: what a phone of the simulator sends as a voice note, a photo, a video, a document."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FILES = {
    "voice": "voice.ogg",
    "photo": "photo.jpg",
    "video": "video.mp4",
    "document": "document.pdf",
}
LENGTHS = {"voice": "0:03", "video": "0:02"}
_HERE = Path(__file__).parent


@cache
def read(kind: str) -> bytes:
    return (_HERE / FILES[kind]).read_bytes()
