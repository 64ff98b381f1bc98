"""Answer: what somebody replies in a thread reaches the asker and all who follow it."""

from __future__ import annotations

from dataclasses import replace

from bot import allowances
from bot.conversation import Conversation
from bot.messages import Choice, Message, Ref, Text, _, _n
from bot.offers import CANCEL, SEND
from bot.posting import DRAFT_GONE, NOT_PASSED_ON, addition, answer, hearers, reply
from bot.smalltalk import can_be_passed_on, is_small
from bot.store import members, posts, threads
from bot.store.audiences import Audience
from bot.store.posts import Post
from bot.store.threads import Thread
from bot.turn import BURST, Turn

answers = Conversation("answers")


@answers.on("thread")
def replied(turn: Turn) -> None:
    """A reply to a bubble of a thread, or its number and an answer."""
    assert turn.subject is not None
    thread = turn.find_thread(turn.subject.id)
    if thread is None:
        return turn.start("threads.gone")
    if is_small(turn.text, turn.files):
        return turn.say(_("Thank you! Only answers are passed on, so that phones stay quiet."))
    post_id = posts.keep(
        turn.db, turn.data.get("post"), turn.member.id, turn.content, turn.now, kind="answer"
    )
    if not can_be_passed_on(turn.text, turn.files):
        turn.data |= {"thread": thread.id, "post": post_id}
        return turn.ask(NOT_PASSED_ON, then=write)
    if turn.inbound.forwarded:
        return _confirm_forwarded(turn, thread, post_id)
    _publish(turn, thread, post_id)


def _confirm_forwarded(turn: Turn, thread: Thread, post_id: int) -> None:
    """Somebody else's words may have been meant for somebody else."""
    turn.data |= {"thread": thread.id, "post": post_id}
    turn.ask(
        _("You forwarded this. Shall it go out as your answer to {thread}?", thread=thread.ref),
        choices=(SEND, CANCEL),
        then=forwarded,
    )


@answers.step
def forwarded(turn: Turn) -> None:
    if turn.choice == "send":
        return publish(turn)
    posts.remove(turn.db, turn.data["post"])
    turn.say(_("All right, nothing was sent."))


@answers.action
def begin(turn: Turn) -> None:
    """[Answer] was chosen."""
    thread = turn.find_thread(turn.argument)
    if thread is None:
        return turn.start("threads.gone")
    turn.data = {"thread": thread.id}
    turn.ask(
        _("Please write or say your answer to {thread}.", thread=thread.ref),
        choices=(Choice("heavy", _("It is a heavy story")),),
        then=write,
        free=True,
    )


@answers.step
def write(turn: Turn) -> None:
    if turn.choice == "heavy":
        turn.data["heavy"] = True
        return turn.ask(
            _(
                "Others first read that it is a heavy story, and choose when to read it. "
                "Please write or say it."
            ),
            then=write,
        )
    turn.subject = Ref("threads", turn.data["thread"])
    replied(turn)


@answers.action
def publish(turn: Turn) -> None:
    """A draft turned out to be an answer."""
    thread = turn.find_thread(turn.data.get("thread", 0))
    if thread is None:
        return turn.start("threads.gone")
    if not posts.is_draft_of(turn.db, turn.data["post"], turn.member.id):
        return turn.say(DRAFT_GONE)
    _publish(turn, thread, turn.data["post"])


def _publish(turn: Turn, thread: Thread, post_id: int) -> None:
    own = thread.asker_id == turn.member.id
    if thread.anonymous and not turn.data.get("proved"):
        return _prove(turn, thread, post_id)
    if own and thread.anonymous:
        return turn.start("nameless.reply", thread=thread.id, post=post_id, **_heavy(turn))
    if thread.anonymous and thread.asker_id is None and not turn.data.get("sure"):
        return _ask_named(turn, thread, post_id)
    if not allowances.take(turn.db, allowances.ANSWERS, turn.member.id, turn.now):
        return turn.say(allowances.ANSWERS.over, _("Nothing was sent."))
    if not own and not threads.has_answered(turn.db, thread.id, turn.member.id):
        members.count_answer(turn.db, turn.member.id)
    heavy, kind = bool(turn.data.get("heavy")), "reply" if own else "answer"
    post = replace(posts.get(turn.db, post_id), heavy=heavy, kind=kind)
    audience = hearers(thread, turn.member.id)
    posts.mark(
        turn.db,
        post_id,
        kind=kind,
        heavy=heavy,
        state="live",
        thread_id=thread.id,
        community_id=thread.community_id,
        message_id=turn.pass_on(thread, audience, _put(turn, thread, post), after=BURST),
    )
    if not own:
        threads.mark_answered(turn.db, thread.id)
    if not thread.anonymous:
        threads.follow(turn.db, thread, turn.member.id, turn.now)
    turn.say(_thanks(turn, thread, audience))


def _prove(turn: Turn, thread: Thread, post_id: int) -> None:
    """Whoever writes there is asked alike: that she alone were asked would name the asker."""
    if not turn.sender.knows(thread.created_at):
        posts.remove(turn.db, post_id)
        return turn.say(_("This question is older than this app here, so nothing was sent."))
    words = {"thread": thread.id, "post": post_id, "proved": True, **_heavy(turn)}
    turn.start("secret.ask", then="answers.publish", **words)


def _ask_named(turn: Turn, thread: Thread, post_id: int) -> None:
    """Nobody knows any more who asked: if it was she, she would appear under her name."""
    turn.data |= {"thread": thread.id, "post": post_id, "sure": True}
    turn.ask(
        _("This goes out with your name: {name}.", name=Ref("members", turn.member.id)),
        choices=(SEND, CANCEL),
        then=forwarded,
    )


def _heavy(turn: Turn) -> dict[str, bool]:
    return {"heavy": True} if turn.data.get("heavy") else {}


def _put(turn: Turn, thread: Thread, post: Post) -> Message:
    if post.kind == "reply":
        return reply(thread, post)
    question_id = threads.find_question(turn.db, thread.id)
    if question_id is None and not post.heavy:  # the notes of a session
        return addition(thread, post)
    return answer(thread, post, question_id or 0)


def _thanks(turn: Turn, thread: Thread, audience: Audience) -> Text:
    reach = turn.reach(audience)
    soon = reach.now + reach.noticed
    if reach.all == 0:
        return _("Thank you. Your words stand in {thread}.", thread=thread.ref)
    if soon == 0:
        return _(
            "Thank you. Your words wait in {thread} until they can be delivered.", thread=thread.ref
        )
    return _n(
        "Thank you. Your words on {thread} go to {n} person.",
        "Thank you. Your words on {thread} go to {n} people.",
        n=soon,
        thread=thread.ref,
    )


@answers.action
def helps(turn: Turn) -> None:
    """[This helps]: the one who answered hears it, once from each."""
    found = _answer_of(turn)
    if found is None:
        return turn.start("threads.gone")
    post, thread = found
    if thread.anonymous:  # whoever taps it: the moment must not tell the asker from the others
        return turn.start("nameless.helps", post=post.id, thread=thread.id)
    if thread.asker_id == turn.member.id:
        threads.mark_helped(turn.db, thread.id)
        posts.mark_helpful(turn.db, post.id, turn.now)
    told = None
    if post.author_id is not None and post.author_id != turn.member.id:
        told = turn.tell(
            Audience("member", post.author_id),
            _(
                "{name} says that your answer to {thread} helps.",
                name=Ref("members", turn.member.id),
                thread=thread.ref,
            ),
            subject=thread.ref,
            community_id=thread.community_id,
            once=f"helps/{post.id}/{turn.member.id}",
        )
    if told is not None:
        turn.say(_("Good to hear! I pass your thanks on."))


@answers.action
def looking(turn: Turn) -> None:
    """[Still looking]: nobody is told that an answer did not help."""
    found = _answer_of(turn)
    if found is None:
        return turn.start("threads.gone")
    turn.say(
        _(
            "All right. If you like, say more about {thread}: reply to the answer, "
            "or write {number} and your words.",
            thread=found[1].ref,
            number=found[1].number,
        )
    )


def _answer_of(turn: Turn) -> tuple[posts.Post, Thread] | None:
    post = posts.find(turn.db, turn.argument)
    if post is None or post.thread_id is None or post.state != "live":
        return None
    thread = turn.find_thread(post.thread_id)
    return None if thread is None else (post, thread)
