"""Soundtracks: what is said in a video, without its pictures: whoever only hears needs no face."""

from __future__ import annotations

from bot.media import voices
from bot.media.cell import Clean

samples = voices.samples


def clean(raw: bytes) -> Clean:
    """A voice note. Raises Unfit, also where nothing sounds."""
    return voices.clean(raw, of_film=True)
