"""Voices: what every phone makes becomes a voice note that both apps play."""

from __future__ import annotations

import asyncio
import io
import wave

import pytest

from bot.media.cleaning import Clean, Unfit, clean
from tests.media.cells import put_in_cell
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


@pytest.mark.parametrize("seconds", [0.5, 1.0, 20.0])
def test_a_voice_is_as_long_as_before(seconds: float) -> None:
    found = cleaned(voice(seconds))
    assert heard(found.content) == pytest.approx(seconds, rel=0.02)
    assert len(found.content) < 24_000 / 8 * seconds * 1.3 + 500


def test_silence_is_fine() -> None:
    target = io.BytesIO()
    with wave.open(target, "wb") as made:
        made.setparams((1, 2, 16_000, 0, "NONE", ""))
        made.writeframes(bytes(32_000))
    assert cleaned(target.getvalue()).milliseconds == 1000


def test_a_voice_of_ten_minutes_is_taken_and_one_of_eleven_is_not() -> None:
    took = put_in_cell("voice", silence(600))
    assert took.reason is None and took.seconds < 15 and took.memory < 150 << 20
    assert put_in_cell("voice", silence(660)).reason == "too_long"


def silence(seconds: int) -> bytes:
    """A frame of AMR is 20 ms; in this one nobody speaks."""
    return b"#!AMR\n" + (b"\x04" + bytes(12)) * 50 * seconds


def test_a_voice_that_says_it_is_something_else_is_heard() -> None:
    """WhatsApp calls some Ogg files audio/mpeg: only what is in it counts."""
    assert cleaned(voice(1.0, "webm")).mime == "audio/ogg"
