"""Documents: PDF, Word, Excel, PowerPoint and plain text, told by what is in them."""

from __future__ import annotations

from collections.abc import Iterator

from bot.media import offices, papers
from bot.media.cell import Clean
from bot.media.unfit import Unfit

_TEXT = 1 << 20  # bytes
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_SPACES = "\t\n\r\f"


def clean(raw: bytes) -> Clean:
    """Raises Unfit."""
    if raw.startswith(b"%PDF-"):
        return Clean(papers.clean(raw), "application/pdf")
    if raw.startswith(b"PK"):
        return Clean(*offices.clean(raw))
    return Clean(_clean_text(raw), "text/plain")


def samples() -> Iterator[bytes]:
    """One of each; see cell.run."""
    yield papers.sample()
    yield offices.sample()
    for mark, code in _MARKS:
        yield mark + "hello".encode(code)
    yield b"\xff"


def _clean_text(raw: bytes) -> bytes:
    """As UTF-8, with no sign that is none. Raises Unfit."""
    if len(raw) > _TEXT:
        raise Unfit("too_big")
    mark, code = next(((m, c) for m, c in _MARKS if raw.startswith(m)), (b"", "utf-8"))
    try:
        text = raw[len(mark) :].decode(code)
    except UnicodeDecodeError:
        raise Unfit("unfit") from None
    if not text.strip() or any(each < " " and each not in _SPACES for each in text):
        raise Unfit("unfit")
    return text.encode()
