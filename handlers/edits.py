"""Edits: a bubble that was changed in the app changes the post it belongs to."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import _
from bot.store import posts, reports, threads
from bot.store.posts import Post
from bot.turn import Turn

edits = Conversation("edits")


@edits.on("edit")
def edited(turn: Turn) -> None:
    """Apps also report changes nobody sees; only another text counts."""
    if turn.inbound.id is None or not turn.text:
        return
    if turn.talk is not None and turn.talk.step.startswith(("report.", "receipts.")):
        return turn.start("report.edit")
    found = posts.find_by_bubble(turn.db, turn.inbound.lane, turn.inbound.id)
    if found is None:  # of what is held, or of what she reported
        reports.forget_words(turn.db, turn.inbox_id)
        return turn.start("nameless.edit")
    post, bubble_id, text = found
    if not _is_hers(turn, post) or text == turn.text:
        return
    if post.state == "hidden":  # somebody may look into it: it stays as it was
        return
    posts.edit_bubble(turn.db, bubble_id, turn.text)
    # Without her name nothing is said: of a hidden question nothing could be, and that would tell.
    if post.state == "live" and post.author_id is not None:
        turn.say(_("Your change is saved. Phones that have the old words already keep them."))


def _is_hers(turn: Turn, post: Post) -> bool:
    """Of words without a name only the sealed link of their thread knows."""
    if post.author_id is None and post.kind != "answer" and post.thread_id is not None:
        thread = threads.get(turn.db, post.thread_id)
        return thread.anonymous and thread.asker_id == turn.member.id
    return post.author_id == turn.member.id
