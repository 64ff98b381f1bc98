"""Files among words: what stands for one, and how words that stand for it are put below it."""

from __future__ import annotations

from bot.messages import Text, _

FILES = {
    "voice": _("(voice note)"),
    "video": _("(video)"),
    "photo": _("(photo)"),
    "document": _("(file)"),
}


def line(kind: str, text: str, name: str | None) -> Text:
    """`kind`: automatic, written, described; `name` of who wrote it, where somebody is known."""
    if kind == "automatic":
        return _("automatic: {text}", text=text)
    if kind == "described":
        if name is None:
            return _("described: {text}", text=text)
        return _("described by {name}: {text}", name=name, text=text)
    if name is None:
        return _("written down: {text}", text=text)
    return _("written down by {name}: {text}", name=name, text=text)
