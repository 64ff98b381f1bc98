"""Real files, made when a test asks: voices, photos, and what their makers' devices put in them."""

from __future__ import annotations

import array
import io
import math
import random
from typing import Any

import av
from PIL import ExifTags, Image

RATE = 48_000


def tone(seconds: float, rate: int = RATE, layout: str = "mono") -> Any:
    """Frames that rise and fall like somebody talking, of 20 ms."""
    size, drawn = rate // 50, random.Random(7)
    channels = 2 if layout == "stereo" else 1
    for begun in range(0, int(seconds * rate), size):
        samples = min(size, int(seconds * rate) - begun)
        loud = 9000 * abs(math.sin(begun / rate * 7))
        wave = (
            int(loud * math.sin((begun + each) * 900 / rate) + drawn.uniform(-300, 300))
            for each in range(samples)
            for _channel in range(channels)
        )
        frame = av.AudioFrame(format="s16", layout=layout, samples=samples)
        frame.planes[0].update(array.array("h", wave).tobytes())
        frame.sample_rate, frame.pts = rate, begun
        yield frame


def voice(
    seconds: float = 3.0,
    form: str = "ogg",
    codec: str = "libopus",
    *,
    rate: int = RATE,
    layout: str = "mono",
    **tags: str,
) -> bytes:
    """A voice note as a phone makes it."""
    target = io.BytesIO()
    with av.open(target, "w", format=form) as container:
        container.metadata.update(tags)
        stream: Any = container.add_stream(
            codec, rate=rate, layout=layout, options={"strict": "-2"}
        )
        resampler = av.AudioResampler(stream.format.name, layout, rate, stream.frame_size or None)
        for frame in (*tone(seconds, rate, layout), None):
            for each in resampler.resample(frame):
                container.mux(stream.encode(each))
        container.mux(stream.encode(None))
    return target.getvalue()


def heard(content: bytes) -> float:
    """Seconds, as somebody's phone plays them."""
    with av.open(io.BytesIO(content), format="ogg") as container:
        [stream] = container.streams
        assert stream.codec_context.name in ("opus", "libopus")
        samples = sum(frame.samples for frame in container.decode(stream))
        return samples / RATE


def photo(size: tuple[int, int] = (800, 600), form: str = "JPEG", **more: Any) -> bytes:
    """Blue above, green below, with a red corner on the upper left."""
    picture = Image.new("RGB", size, "green")
    picture.paste("blue", (0, 0, size[0], size[1] // 2))
    picture.paste("red", (0, 0, size[0] // 4, size[1] // 4))
    target = io.BytesIO()
    picture.save(target, form, **more)
    return target.getvalue()


def tell_tale_exif(orientation: int = 1) -> Image.Exif:
    """Who, with what, and where: as a phone writes it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "TELLTALE"
    exif[ExifTags.Base.Artist] = "Noy TELLTALE"
    exif[ExifTags.Base.Orientation] = orientation
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSLatitude] = (17.0, 58.0, 1.5)
    place[ExifTags.GPS.GPSLongitudeRef] = "E"
    place[ExifTags.GPS.GPSLongitude] = (102.0, 36.0, 0.0)
    return exif


def film(
    seconds: float = 2.0, *, sound: bool = True, size: int = 96, codec: str = "libx264"
) -> bytes:
    """A video note with all that a phone writes into it."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4", options={"movflags": "use_metadata_tags"}) as made:
        made.metadata.update({"location": "+17.9+102.6/TELLTALE", "artist": "TELLTALE"})
        pictures: Any = made.add_stream(codec, rate=10)
        pictures.width = pictures.height = size
        pictures.pix_fmt = "yuv420p"
        pictures.metadata["handler_name"] = "TELLTALE"
        voice: Any = made.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for number in range(int(seconds * 10)):
            picture = Image.new("RGB", (size, size), (number * 10 % 256, 80, 80))
            made.mux(pictures.encode(av.VideoFrame.from_image(picture)))
        made.mux(pictures.encode(None))
        for frame in (*tone(seconds), None) if sound else ():
            made.mux(voice.encode(frame))
    return target.getvalue()
