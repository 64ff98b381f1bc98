"""Papers: a PDF keeps what is to be read and loses who made it, what is in it besides, what acts.

Its pages are copied into a fresh file and every object of that is looked at. What somebody has
drawn over a name is drawn over it still: the name below can be read by whoever looks.
"""

from __future__ import annotations

import io
from typing import Any

from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, StreamObject

from bot.media import bare
from bot.media.unfit import Unfit

MOST_PAGES = 500
MOST_OBJECTS = 100_000

# Who, when and with what; other files; what runs by itself.
_GONE = (
    "/Metadata", "/PieceInfo", "/LastModified", "/AF", "/EF", "/EmbeddedFiles", "/JavaScript",
    "/JS", "/OpenAction", "/AA", "/XFA", "/Collection", "/Thumb", "/SpiderInfo",
)  # fmt: skip
_GONE_FROM_NOTES = ("/T", "/M", "/CreationDate", "/NM", "/RC", "/FS", "/Sound", "/Movie")
_LINKS = ("http://", "https://", "mailto:", "tel:")
_ACTIONS = (
    "/GoTo", "/URI", "/Named", "/Launch", "/JavaScript", "/GoToR", "/GoToE", "/SubmitForm",
    "/ImportData",
    "/ResetForm", "/Rendition", "/RichMediaExecute", "/Sound", "/Movie", "/Hide", "/SetOCGState",
    "/Thread", "/Trans", "/GoTo3DView", "/GoToDp",
)  # fmt: skip
_NO_NOTES = ("/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D")


def clean(raw: bytes) -> bytes:
    """Raises Unfit."""
    try:
        reader = PdfReader(io.BytesIO(raw), strict=False)
        if reader.is_encrypted:
            raise Unfit("unfit")
        if not 0 < len(reader.pages) <= MOST_PAGES:
            raise Unfit("broken" if not reader.pages else "too_big")
        return _written(_copied(reader))
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError):
        raise Unfit("broken") from None
    except RecursionError:
        raise Unfit("bomb") from None


def sample() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(72, 72)
    return _written(writer)


def _copied(reader: PdfReader) -> PdfWriter:
    writer = PdfWriter()
    for page in reader.pages:
        writer.add_page(page)
        if len(writer._objects) > MOST_OBJECTS:
            raise Unfit("bomb")
    for found in writer._objects:
        _scrub(found)
    writer.metadata = None
    return writer


def _written(writer: PdfWriter) -> bytes:
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def _scrub(found: Any) -> None:
    """One object with all that stands in it; what it points at is looked at by itself."""
    if isinstance(found, ArrayObject):
        for each in found:
            _scrub(each)
    if not isinstance(found, DictionaryObject):
        return
    _drop(found, _GONE)
    if "/Subtype" in found and "/Rect" in found:
        _scrub_note(found)
    if _acts(found):
        _scrub_action(found)
    if isinstance(found, StreamObject):
        _scrub_stream(found)
    for key in list(found):
        _scrub(found.raw_get(key))


def _acts(found: DictionaryObject) -> bool:
    """An action need not say that it is one: then by what it does."""
    return _at(found, "/Type") == "/Action" or _at(found, "/S") in _ACTIONS


def _scrub_action(found: DictionaryObject) -> None:
    does = _at(found, "/S")
    if does == "/URI" and str(_at(found, "/URI")).lower().startswith(_LINKS):
        return
    if does in ("/GoTo", "/Named"):
        return
    found.clear()
    found[NameObject("/S")] = NameObject("/Named")
    found[NameObject("/N")] = NameObject("/None")


def _scrub_note(found: DictionaryObject) -> None:
    _drop(found, _GONE_FROM_NOTES)
    if _at(found, "/Subtype") in _NO_NOTES:
        box = found["/Rect"]
        found.clear()
        found[NameObject("/Subtype")] = NameObject("/Square")
        found[NameObject("/Rect")] = box
        found[NameObject("/F")] = NumberObject(2)  # hidden


def _scrub_stream(found: StreamObject) -> None:
    """A photo is a JPEG as the camera has made it."""
    if _at(found, "/Filter") in ("/DCTDecode", ["/DCTDecode"]):
        found._data = bare.strip(found._data)


def _at(found: DictionaryObject, key: str) -> Any:
    """Its value, also where that is written elsewhere in the file."""
    if key not in found:
        return None
    return found[key]  # get() would not look elsewhere


def _drop(found: DictionaryObject, names: tuple[str, ...]) -> None:
    for name in names:
        if name in found:
            del found[name]
