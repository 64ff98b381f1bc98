"""Voices: what every phone makes becomes a voice note that both apps play."""

from __future__ import annotations

import asyncio

import pytest

from bot.media.cleaning import Clean, Unfit, clean
from tests.media.files import heard, voice


def cleaned(raw: bytes) -> Clean:
    return asyncio.run(clean("voice", raw))


# (container, codec, rate, layout) as apps and phones make them
KINDS = [
    ("ogg", "libopus", 48000, "mono"),
    ("ogg", "libopus", 16000, "stereo"),
    ("ogg", "vorbis", 44100, "stereo"),
    ("ipod", "aac", 44100, "mono"),
    ("mp4", "aac", 48000, "stereo"),
    ("adts", "aac", 44100, "mono"),
    ("mp3", "libmp3lame", 44100, "mono"),
    ("amr", "libopencore_amrnb", 8000, "mono"),
    ("webm", "libopus", 48000, "mono"),
    ("wav", "pcm_s16le", 16000, "mono"),
]


@pytest.mark.parametrize(("form", "codec", "rate", "layout"), KINDS)
def test_a_voice_of_any_phone_is_heard(form: str, codec: str, rate: int, layout: str) -> None:
    found = cleaned(voice(3.0, form, codec, rate=rate, layout=layout, title="TELLTALE"))
    assert found.mime == "audio/ogg" and found.content.startswith(b"OggS")
    assert found.milliseconds == pytest.approx(3000, rel=0.03)
    assert heard(found.content) == pytest.approx(found.milliseconds / 1000, rel=0.02)
    assert b"TELLTALE" not in found.content


def test_no_voice_is_no_voice() -> None:
    with pytest.raises(Unfit, match="unfit"):
        cleaned(b"hello")
