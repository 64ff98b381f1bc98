"""Drafts: what she wrote and has not sent yet."""

from __future__ import annotations

from bot.messages import Text, _
from bot.smalltalk import is_agreement, is_small
from bot.store import posts
from bot.turn import Turn


def add(turn: Turn, noted: Text) -> None:
    """A further bubble before she has chosen belongs to it; `noted` if the question has left."""
    if is_agreement(turn.text):
        return turn.again(_("Please choose one of these. You can tap it or type its number."))
    if is_small(turn.text, turn.files):
        return turn.wait()
    posts.add_bubbles(turn.db, turn.data["post"], turn.content, turn.now)
    if not turn.postpone():
        return turn.again(noted)
    turn.wait()
