"""Voices: any voice note becomes OGG/Opus in one channel, which both apps play as a voice note.

What is Opus already is made anew, too: decoding it is the check, and no tag survives.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from bot.media.cell import Clean
from bot.media.sounds import open_sound, sniff
from bot.media.unfit import Unfit

LONGEST = 600  # seconds
SHORTEST = 0.3
RATE = 48_000
BITS = 24_000  # a second
SLACK = 2.0  # seconds by which a header may be wrong

CODECS = (
    "opus", "libopus", "vorbis", "aac", "mp3", "mp3float", "amrnb", "amrwb", "libopencore_amrnb",
    "libopencore_amrwb", "pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_alaw",
    "pcm_mulaw",
)  # fmt: skip
_ESTIMATED = {"mp3", "aac", "amr"}  # no header says how long they are


def clean(raw: bytes, *, of_film: bool = False) -> Clean:
    """Raises Unfit: a voice note holds a voice and nothing else, a film pictures besides."""
    form = sniff(raw)
    _check_length(raw, form, of_film=of_film)
    with open_sound(raw, form, CODECS) as sound:
        content, samples = _encode(_level(_decode(sound)))
    if samples < SHORTEST * RATE:
        raise Unfit("broken")
    return Clean(content, "audio/ogg", samples * 1000 // RATE)


def samples() -> Iterator[bytes]:
    """A second of silence, and nothing; see cell.run."""
    silence = AudioFrame(format="s16", layout="mono", samples=RATE)
    silence.sample_rate = RATE
    yield _encode(_level(iter([silence])))[0]
    yield b"OggS"


def _check_length(raw: bytes, form: str, *, of_film: bool) -> None:
    """By the header, then by what its packets say: both cost nothing."""
    with open_sound(raw, form, CODECS) as sound:
        if sound.streams.video and not of_film:
            raise Unfit("unfit")
        stream = _stream(sound)
        stated = (sound.duration or 0) / av.time_base
        if form not in _ESTIMATED and stated > LONGEST + SLACK:
            raise Unfit("too_long")
        seconds = 0.0
        for packet in _packets(sound, stream):
            seconds += float((packet.duration or 0) * (packet.time_base or 0))
            if seconds > LONGEST + SLACK:
                raise Unfit("too_long")


def _stream(sound: InputContainer) -> AudioStream:
    """Raises Unfit."""
    if len(sound.streams.audio) != 1:
        raise Unfit("unfit")
    stream = sound.streams.audio[0]
    if stream.codec_context is None or stream.codec_context.name not in CODECS:
        raise Unfit("unfit")
    stream.codec_context.thread_count = 1
    return stream


def _packets(sound: InputContainer, stream: AudioStream) -> Iterator[Packet[AudioStream]]:
    """Up to where it was cut off."""
    try:
        yield from sound.demux(stream)
    except (av.FFmpegError, EOFError):
        return


def _decode(sound: InputContainer) -> Iterator[AudioFrame]:
    """What can be heard; a packet that is damaged is left out."""
    stream = _stream(sound)
    for packet in _packets(sound, stream):
        try:
            yield from stream.decode(packet)
        except av.FFmpegError:
            continue


def _level(frames: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
    """One channel, one rate, whatever comes; numbered, and stopped when it is too long."""
    samples, resampler, shape = 0, _resampler(), None
    for frame in chain(frames, [None]):
        found = None if frame is None else (frame.format.name, frame.layout.name, frame.sample_rate)
        if found is not None and shape not in (None, found):
            resampler = _resampler()
        shape = found
        if frame is not None:
            frame.pts = None
        for each in resampler.resample(frame) if frame or samples else []:
            each.pts = samples
            samples += each.samples
            yield each
        if samples > (LONGEST + SLACK) * RATE:
            raise Unfit("too_long")


def _resampler() -> AudioResampler:
    return AudioResampler(format="s16", layout="mono", rate=RATE)


def _encode(frames: Iterator[AudioFrame]) -> tuple[bytes, int]:
    """The file, and how many samples are in it."""
    target, samples = io.BytesIO(), 0
    with av.open(target, "w", format="ogg", options={"fflags": "+bitexact"}) as ogg:
        stream = ogg.add_stream("libopus", rate=RATE, layout="mono", options=_FOR_SPEECH)
        stream.bit_rate = BITS
        for frame in frames:
            samples += frame.samples
            ogg.mux(stream.encode(frame))
        ogg.mux(stream.encode(None))
    return target.getvalue(), samples


_FOR_SPEECH = {"application": "voip", "frame_duration": "20"}
