"""Just writing: free text that is no answer to anything the bot asked."""

from __future__ import annotations

from datetime import timedelta

from bot.conversation import Conversation
from bot.i18n import graphemes
from bot.messages import Choice, Ref, _
from bot.posting import DRAFT_GONE
from bot.smalltalk import is_greeting, is_small, is_thanks
from bot.store import messages, posts, threads
from bot.store.posts import Post
from bot.turn import Turn

BURST = timedelta(seconds=3)  # a further bubble in this time is part of the answer
SAME_BREATH = timedelta(seconds=20)  # people write in bursts
SAME_ANSWER = timedelta(minutes=20)  # she may still be talking about what she answered
RECENT = timedelta(hours=24)  # a question that reached her lately may be what she answers
UNCLEAR = 8  # graphemes; shorter text may be anything

writing = Conversation("writing")


@writing.on("text")
def wrote(turn: Turn) -> None:
    """Small talk, more of an answer, one of several things, or simply a question."""
    if is_small(turn.text, turn.files):
        return _small_talk(turn)
    mine = posts.last_answer(turn.db, turn.member.id, turn.now - SAME_ANSWER)
    if mine is not None and _is_more_of(turn, mine):
        return
    meanings = _meanings(turn, mine) if turn.text else []
    if not meanings:
        return turn.start("ask.draft")
    post_id = posts.add(turn.db, turn.member.id, turn.content, turn.now, kind="question")
    turn.data = {"post": post_id}
    turn.ask(_("Where does this belong?"), choices=meanings, then=meaning)


def _small_talk(turn: Turn) -> None:
    if is_greeting(turn.text):
        turn.say(_("Hello! Write your question, or write MENU to see what you can do."))
    elif is_thanks(turn.text):
        turn.say(_("You are welcome!"))


def _is_more_of(turn: Turn, post: Post) -> bool:
    """A further bubble of an answer that has not left yet is part of it."""
    if post.message_id is None or post.created_at < turn.now - SAME_BREATH:
        return False
    if not messages.postpone(turn.db, post.message_id, turn.now + BURST):
        return False
    posts.add_bubbles(turn.db, post.id, turn.content, turn.now)
    return True


def _meanings(turn: Turn, mine: Post | None) -> list[Choice]:
    """At most three things it may be; none if it can only be a question."""
    found = []
    thread_id = mine.thread_id if mine is not None else _heard(turn)
    if thread_id is not None:
        label = _("Answer to {thread}", thread=Ref("threads", thread_id))
        found.append(Choice(f"answer:{thread_id}", label))
    if found or graphemes(turn.text) < UNCLEAR:
        found.append(Choice("question", _("A new question")))
        found.append(Choice("nothing", _("None of these")))
    return found


def _heard(turn: Turn) -> int | None:
    found = threads.find_latest_heard(turn.db, turn.member.id, turn.now - RECENT)
    return found[0].id if found else None


@writing.step
def meaning(turn: Turn) -> None:
    post_id = turn.data["post"]
    if not posts.is_draft_of(turn.db, post_id, turn.member.id):
        return turn.say(DRAFT_GONE)
    if turn.choice == "nothing":
        posts.remove(turn.db, post_id)
        return turn.say(_("All right, nothing was sent."))
    if turn.choice == "question":
        return turn.start("ask.draft", post=post_id)
    turn.start("answers.publish", post=post_id, thread=int(turn.chosen))
