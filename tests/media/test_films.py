"""Films: they play as before, and tell nothing about who made them and where."""

from __future__ import annotations

import asyncio
import io

import av
import pytest

from bot.media.cleaning import Clean, Unfit, clean
from tests.media.files import film, voice


def cleaned(raw: bytes) -> Clean:
    return asyncio.run(clean("video", raw))


@pytest.mark.parametrize("sound", [True, False])
def test_a_film_plays(sound: bool) -> None:
    found = cleaned(film(sound=sound))
    assert found.mime == "video/mp4"
    assert found.milliseconds == pytest.approx(2000, rel=0.05)
    with av.open(io.BytesIO(found.content), format="mov") as played:
        assert sum(1 for _picture in played.decode(video=0)) == 20
        assert len(played.streams.audio) == sound
    if sound:
        with av.open(io.BytesIO(found.content), format="mov") as played:
            samples = sum(frame.samples for frame in played.decode(audio=0))
            assert samples == pytest.approx(2 * 48_000, rel=0.05)
    assert found.content.find(b"moov") < found.content.find(b"mdat")  # plays while it comes in


def test_a_film_does_not_tell_where_it_was_made() -> None:
    raw = film()
    assert raw.count(b"TELLTALE") >= 3 and b"x264" in raw
    found = cleaned(raw).content
    assert b"TELLTALE" not in found and b"x264" not in found


def test_other_films_are_unfit() -> None:
    for raw, reason in (
        (film(codec="mpeg4"), "broken|unfit"),
        (film(size=2000, seconds=0.2, sound=False), "too_big"),
        (voice(1.0, "webm"), "unfit"),
        (film()[:200], "broken"),
    ):
        with pytest.raises(Unfit, match=reason):
            cleaned(raw)


def test_a_long_film_is_too_long() -> None:
    with pytest.raises(Unfit, match="too_long"):
        cleaned(film(190.0, sound=False, size=32))
