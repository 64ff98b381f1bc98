"""Approving: in the simulator our templates pass at once, in our own words."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.channels import simulator
from bot.i18n import languages, render
from bot.store import templates
from bot.store.templates import APPROVED, Kept
from bot.templates import NUDGE_TEXT, OPEN
from bot.windows import NUDGE


def approve(db: Connection, now: datetime) -> None:
    """For every look with a window, in every language."""
    for look in (name for name, limits in simulator.LOOKS.items() if limits.window is not None):
        for language in languages():
            sid = f"{NUDGE}/{language}"
            words, label = (render(each, language, lambda *_: "") for each in (NUDGE_TEXT, OPEN))
            button = (label, f"{simulator.SAYS}{OPEN.msgid.lower()}")
            simulator.phones().templates[sid] = (words, button)
            lane = f"simulator/{look}"
            state = APPROVED if simulator.phones().approves else "pending"
            found = Kept(lane, NUDGE, language, language, sid, "", state, None, now)
            templates.save(db, found)
