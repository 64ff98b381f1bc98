"""Approving: in the simulator our templates pass at once, in our own words."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.channels import simulator
from bot.i18n import languages, render
from bot.messages import _
from bot.store import templates
from bot.store.templates import APPROVED, Kept
from bot.windows import NUDGE

_WORDS = _("A message is waiting for you. Tap the button, or write any word, to read it here.")
_OPEN = _("Open")


def approve(db: Connection, now: datetime) -> None:
    """For every look with a window, in every language."""
    for look in (name for name, limits in simulator.LOOKS.items() if limits.window is not None):
        for language in languages():
            sid = f"{NUDGE}/{language}"
            words, label = (render(each, language, lambda *_: "") for each in (_WORDS, _OPEN))
            button = (label, f"{simulator.SAYS}{_OPEN.msgid.lower()}")
            simulator.phones().templates[sid] = (words, button)
            lane = f"simulator/{look}"
            state = APPROVED if simulator.phones().approves else "pending"
            found = Kept(lane, NUDGE, language, language, sid, "", state, None, now)
            templates.save(db, found)
