"""Heavy stories: who is told of one chooses whether and when to read it."""

from __future__ import annotations

from datetime import timedelta

from bot.conversation import Conversation
from bot.messages import Choice, Ref, _
from bot.offers import under_answer, under_question
from bot.posting import author
from bot.store import communities, posts, programmes
from bot.store.audiences import Audience
from bot.store.posts import Post
from bot.store.threads import Thread
from bot.turn import Turn

LATER = timedelta(hours=20)  # [Later] offers it once more, while WhatsApp still lets us write

heavy = Conversation("heavy")


@heavy.action
def read(turn: Turn) -> None:
    found = _story(turn)
    if found is None:
        return turn.start("threads.gone")
    post, thread = found
    opens = post.kind in ("question", "reflection")
    asked = under_question(thread.id, followed=thread.anonymous)
    choices = [*(asked if opens else under_answer(post.id))]
    if communities.get(turn.db, thread.community_id).discreet and programmes.list_help(turn.db):
        choices.append(Choice("support.show", _("Get help now")))
    turn.say(
        _("{post}", post=Ref("veiled_stories" if thread.anonymous else "stories", post.id)),
        _("{name} in {thread}", name=author(thread, post), thread=thread.ref),
        choices=choices,
        subject=thread.ref,
    )


@heavy.action
def later(turn: Turn) -> None:
    found = _story(turn)
    if found is None:
        return turn.start("threads.gone")
    post, thread = found
    turn.tell(
        Audience("member", turn.member.id),
        _("The heavy story in {thread} is still here for you.", thread=thread.ref),
        choices=(
            Choice(f"heavy.read:{post.id}", _("Read now")),
            Choice(f"heavy.skip:{post.id}", _("Skip")),
        ),
        subject=thread.ref,
        community_id=thread.community_id,
        after=LATER,
        once=f"later/{post.id}/{turn.member.id}",
    )
    turn.say(_("All right. I remind you tomorrow, once."))


@heavy.action
def skip(turn: Turn) -> None:
    """Skipping is fine and is counted nowhere."""
    found = _story(turn)
    if found is None:
        return turn.start("threads.gone")
    turn.say(_("All right. If you change your mind, write {number}.", number=found[1].number))


def _story(turn: Turn) -> tuple[Post, Thread] | None:
    """The post, if it still stands in a thread of hers."""
    post = posts.find(turn.db, turn.argument)
    if post is None or post.state != "live" or post.thread_id is None:
        return None
    thread = turn.find_thread(post.thread_id)
    return None if thread is None else (post, thread)
