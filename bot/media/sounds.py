"""Sounds: the containers that are read, told by how they begin, never by what they are called.

FFmpeg is told which one it is, so that it never guesses: among what it would guess are lists of
addresses to fetch.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import av
from av.container import InputContainer

from bot.media.unfit import Unfit

_STARTS = (
    (0, b"OggS", "ogg"),
    (0, b"#!AMR", "amr"),
    (0, b"ID3", "mp3"),
    (0, b"RIFF", "wav"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
)
_NOTHING_ELSE = "none"  # a protocol that is not there


def sniff(raw: bytes) -> str:
    """The format's name as FFmpeg has it. Raises Unfit."""
    for place, start, name in _STARTS:
        if raw.startswith(start, place):
            return name
    if len(raw) > 1 and raw[0] == 0xFF and raw[1] & 0xE0 == 0xE0:  # a frame without a header
        return "aac" if raw[1] & 0x06 == 0 else "mp3"
    raise Unfit("unfit")


def open_sound(raw: bytes, form: str, codecs: tuple[str, ...]) -> InputContainer:
    """Raises Unfit."""
    options = {
        "protocol_whitelist": _NOTHING_ELSE,
        "codec_whitelist": ",".join(codecs),
    }
    try:
        return av.open(
            io.BytesIO(raw), "r", format=form, container_options=options, io_open=_refuse,
            metadata_errors="replace",
        )  # fmt: skip
    except (av.FFmpegError, ValueError, EOFError):
        raise Unfit("broken") from None


def _refuse(url: str, flags: int, options: Mapping[str, str]) -> None:
    raise PermissionError
