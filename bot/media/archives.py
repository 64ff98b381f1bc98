"""Archives: a ZIP is read within limits, whatever it says of itself."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from bot.media.unfit import Unfit

MOST_PARTS = 2000
MOST_BYTES = 60 << 20  # of all parts, unpacked
STEEPEST = 200  # times; a part that grows more was made to
_SMALL = 1 << 20  # bytes: below this it may grow as it likes
_NAME = re.compile(r"[^\x00-\x1f\\:]+")


def unpack(raw: bytes) -> dict[str, bytes]:
    """Its parts by their names, in their order. Raises Unfit."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as found:
            infos = [each for each in found.infolist() if not each.is_dir()]
            _check(infos)
            return {each.filename: _read(found, each) for each in infos}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        raise Unfit("broken") from None


def pack(parts: dict[str, bytes]) -> bytes:
    """As if it had been made by nobody at no time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _check(infos: list[zipfile.ZipInfo]) -> None:
    """By what stands in its index, before anything is unpacked."""
    if len(infos) > MOST_PARTS or sum(each.file_size for each in infos) > MOST_BYTES:
        raise Unfit("bomb")
    names = {each.filename.lower() for each in infos}
    if len(names) < len(infos) or not all(_is_plain(each.filename) for each in infos):
        raise Unfit("unfit")
    for each in infos:
        if each.flag_bits & 0x1:
            raise Unfit("unfit")  # it takes a password
        if each.file_size > max(_SMALL, STEEPEST * each.compress_size):
            raise Unfit("bomb")


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    return bool(_NAME.fullmatch(name)) and not {"", ".", ".."} & set(parts)


def _read(found: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """No more than it has said."""
    with found.open(info) as part:
        content = part.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise Unfit("broken")
    return content
