"""Edits: a bubble that was changed in the app changes the post it belongs to."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import _
from bot.store import posts
from bot.turn import Turn

edits = Conversation("edits")


@edits.on("edit")
def edited(turn: Turn) -> None:
    """Apps also report changes nobody sees; only another text counts."""
    if turn.inbound.id is None or not turn.text:
        return
    found = posts.find_by_bubble(turn.db, turn.inbound.lane, turn.inbound.id)
    if found is None:
        return
    post, bubble_id, text = found
    if post.author_id != turn.member.id or text == turn.text:
        return
    if post.state == "hidden":  # somebody may look into it: it stays as it was
        return
    posts.edit_bubble(turn.db, bubble_id, turn.text)
    if post.state == "live":
        turn.say(_("Your change is saved. Phones that have the old words already keep them."))
