"""The names under which others get what members sent: they tell nothing of whose it is."""

from __future__ import annotations

VOICE = "audio/ogg; codecs=opus"  # with less, WhatsApp shows a file and not a voice note
_NAMES = {"voice": "voice.ogg", "video": "video.mp4", "photo": "photo.jpg"}
_ENDINGS = {
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "text/plain": "txt",
    "text/csv": "csv",
}


def name_of(kind: str, mime: str | None) -> str:
    """By its kind; of a document by its type."""
    return _NAMES.get(kind) or f"file.{_ENDINGS.get(mime or '', 'bin')}"


def mime_of(kind: str, mime: str | None) -> str:
    """The type as both apps want it."""
    return VOICE if kind == "voice" else mime or "application/octet-stream"
