"""Films: videos and video notes keep their pictures and their sound, and lose what else is in them.

They are not made anew, which would take a minute of computing for each: streams are copied into a
fresh file, without places, names, chapters and notes. The first picture is decoded to see that
there is one; what the receiver's own player makes of the rest is not looked at.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from bot.media.cell import Clean
from bot.media.sounds import open_sound
from bot.media.unfit import Unfit

LONGEST = 180  # seconds
SLACK = 2.0
BROADEST = 1920  # pixels, of the longer side
CODECS = ("h264", "aac")
_START = b"ftyp"
# What encoders and cameras write between the pictures: places among it.
_NOTES_LEFT_OUT = "filter_units=remove_types=6"


def clean(raw: bytes) -> Clean:
    """Raises Unfit."""
    if raw[4:8] != _START:
        raise Unfit("unfit")
    _check_first_picture(raw)
    try:
        with open_sound(raw, "mov", CODECS) as film:
            content, seconds = _copy(film, _streams(film))
    except (av.FFmpegError, ValueError, EOFError):
        raise Unfit("broken") from None
    return Clean(content, "video/mp4", round(seconds * 1000))


def samples() -> Iterator[bytes]:
    """A black film of a moment, without sound and with it; see cell.run."""
    for loud in (False, True):
        target = io.BytesIO()
        with av.open(target, "w", format="mp4") as film:
            pictures = film.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
            pictures.width = pictures.height = 32
            pictures.pix_fmt = "yuv420p"
            sound = film.add_stream("aac", rate=48_000, layout="mono") if loud else None
            film.mux(pictures.encode(av.VideoFrame(32, 32, "yuv420p")))
            film.mux(pictures.encode(None))
            if sound is not None:
                film.mux(sound.encode(None))
        yield target.getvalue()
    yield b"\0\0\0\0ftyp"


def _streams(film: InputContainer) -> list[Stream]:
    """The one with pictures, perhaps one with sound. Raises Unfit."""
    pictures, sounds = film.streams.video, film.streams.audio
    if len(pictures) != 1 or len(sounds) > 1:
        raise Unfit("unfit")
    found: list[Stream] = [*pictures, *sounds]
    for stream in found:
        codec = stream.codec_context
        if codec is None or codec.name not in CODECS:
            raise Unfit("unfit")
        codec.thread_count = 1
    if (film.duration or 0) / av.time_base > LONGEST + SLACK:
        raise Unfit("too_long")
    codec = pictures[0].codec_context
    if not 0 < max(codec.width, codec.height) <= BROADEST:
        raise Unfit("too_big")
    return found


def _check_first_picture(raw: bytes) -> None:
    """It can be seen at all. Raises Unfit."""
    with open_sound(raw, "mov", CODECS) as film:
        pictures = _streams(film)[0]
        try:
            next(film.decode(pictures))
        except (av.FFmpegError, StopIteration, EOFError):
            raise Unfit("broken") from None


def _copy(film: InputContainer, streams: list[Stream]) -> tuple[bytes, float]:
    """A file that plays while it is still coming in, and its seconds."""
    target, seconds = io.BytesIO(), 0.0

    def again(url: str, flags: int, options: Any) -> io.BytesIO:
        """The index goes to the beginning: FFmpeg reads what it has written."""
        return io.BytesIO(target.getvalue())

    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(target, "w", format="mp4", options=options, io_open=again) as copy:
        twins = {each.index: copy.add_stream_from_template(each) for each in streams}
        for index, packet in _without_notes(film, streams):
            end = (packet.pts or 0) + (packet.duration or 0)
            seconds = max(seconds, float(end * (packet.time_base or 0)))
            if seconds > LONGEST + SLACK:
                raise Unfit("too_long")
            packet.stream = twins[index]
            copy.mux(packet)
    return target.getvalue(), seconds


def _without_notes(
    film: InputContainer, streams: list[Stream]
) -> Iterator[tuple[int, Packet[Any]]]:
    """What is copied, each with the number of its stream."""
    notes = BitStreamFilterContext(_NOTES_LEFT_OUT, streams[0])
    for packet in film.demux(streams):
        index = packet.stream.index
        if index == streams[0].index:
            yield from ((index, each) for each in notes.filter(packet if packet.size else None))
        elif packet.size:
            yield index, packet
