"""Just writing: free text that is no answer to anything the bot asked."""

from __future__ import annotations

from datetime import timedelta

from bot import drafts
from bot.conversation import Conversation
from bot.i18n import graphemes
from bot.messages import Choice, Ref, _
from bot.posting import DRAFT_GONE
from bot.smalltalk import is_greeting, is_small, is_thanks
from bot.store import attendance, harvests, messages, posts, records, reflections, threads, weekly
from bot.store.posts import Post
from bot.turn import BURST, Turn

SAME_BREATH = timedelta(seconds=20)  # people write in bursts
SAME_ANSWER = timedelta(minutes=20)  # she may still be talking about what she answered
RECENT = timedelta(hours=24)  # a question that reached her lately may be what she answers
WEEKLY = timedelta(hours=1)  # so long after it arrived she may be answering this week's question
ASKED = timedelta(hours=12)  # so long after a session she may be saying what she takes with her
UNCLEAR = 8  # graphemes; shorter text may be anything

writing = Conversation("writing")


@writing.action
@writing.on("text")
def wrote(turn: Turn) -> None:
    """Small talk, more of a reflection that she has just kept, or something new."""
    if is_small(turn.text, turn.files):
        return _small_talk(turn)
    if reflections.find_open(turn.db, turn.member.id, turn.now) is not None:
        return turn.start("reflect.add")
    new(turn)


@writing.action
def new(turn: Turn) -> None:
    """More of an answer, one of several things, or simply a question."""
    mine = posts.last_answer(turn.db, turn.member.id, turn.now - SAME_ANSWER)
    if mine is not None and _is_more_of(turn, mine):
        return
    meanings = _meanings(turn, mine)
    if not meanings:
        return turn.start("ask.draft")
    post_id = posts.add(turn.db, turn.member.id, turn.content, turn.now, kind="question")
    turn.data = {"post": post_id}
    turn.ask(_("Where does this belong?"), choices=meanings, then=meaning, free=True, after=BURST)


def _small_talk(turn: Turn) -> None:
    if is_greeting(turn.text):
        turn.say(_("Hello! Write your question, or write MENU to see what you can do."))
    elif is_thanks(turn.text):
        turn.say(_("You are welcome!"))


def _is_more_of(turn: Turn, post: Post) -> bool:
    """A further bubble of an answer that has not left yet is part of it."""
    if post.kind == "outcome":  # she has seen before what goes out
        return False
    if post.message_id is None or post.created_at < turn.now - SAME_BREATH:
        return False
    if not messages.postpone(turn.db, post.message_id, turn.now + BURST):
        return False
    posts.add_bubbles(turn.db, post.id, turn.content, turn.now)
    return True


def _meanings(turn: Turn, mine: Post | None) -> list[Choice]:
    """A few things it may be; none if it can only be a question."""
    found = _of_sessions(turn)
    asked = weekly.list_heard(turn.db, turn.member.id, turn.now - WEEKLY)
    if asked:  # of several in one message she is asked which one
        found.append(Choice(f"response:{asked[0].edition_id}", _("My weekly answer")))
    thread_id = mine.thread_id if mine is not None else _heard(turn)
    if thread_id is not None:
        label = _("Answer to {thread}", thread=Ref("threads", thread_id))
        found.append(Choice(f"answer:{thread_id}", label))
    if found or 0 < graphemes(turn.text) < UNCLEAR:
        found.append(Choice("question", _("A new question")))
        found.append(Choice("nothing", _("None of these")))
    return found


def _of_sessions(turn: Turn) -> list[Choice]:
    """Notes of the one that is going on; what she takes with her from the one that is over."""
    found = []
    mine = set(records.list_sessions(turn.db, turn.member.id, turn.now))
    for session_id in attendance.list_under_way(turn.db, turn.member.id, turn.now) if mine else ():
        if session_id in mine:
            found.append(Choice(f"notes:{session_id}", _("Notes of the session")))
            break
    asked = harvests.find_asked(turn.db, turn.member.id, turn.now - ASKED)
    if asked is not None and not harvests.has_said(turn.db, asked, turn.member.id):
        found.append(Choice(f"taken:{asked}", _("What I take with me")))
    return found


def _heard(turn: Turn) -> int | None:
    found = threads.find_latest_heard(turn.db, turn.member.id, turn.now - RECENT)
    return found[0].id if found else None


@writing.step
def meaning(turn: Turn) -> None:
    post_id = turn.data["post"]
    if not posts.is_draft_of(turn.db, post_id, turn.member.id):
        return turn.say(DRAFT_GONE)
    if turn.choice is None:
        return drafts.add(turn, _("I have kept what you sent. Please choose first:"))
    if turn.choice == "nothing":
        posts.remove(turn.db, post_id)
        return turn.say(_("All right, nothing was sent."))
    if turn.choice == "question":
        return turn.start("ask.draft", post=post_id)
    if turn.choice.startswith("response:"):
        return turn.start("responses.take", post=post_id, edition=int(turn.chosen))
    for kind, action in (("taken", "harvest.adopt"), ("notes", "notes.adopt")):
        if turn.choice.startswith(f"{kind}:"):
            return turn.start(action, post=post_id, session=int(turn.chosen))
    turn.start("answers.publish", post=post_id, thread=int(turn.chosen))
